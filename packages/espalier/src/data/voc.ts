import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { checkFolder, readDataFile } from './data-file.js';
import { IGNORED, maskLabels } from './mask-file.js';
import type { MaskedImages, PixelClass, SegmentationData } from './masked-images.js';
import { type SeenSizeOptions, seenSize } from './masked-options.js';
import { pairChecksum } from './pair-checksum.js';
import { vocColour } from './pixel-colours.js';
import type { SeenSize } from './shown-pair.js';
import { imagenet } from './usual-statistics.js';

/** PASCAL VOC 2012 (Everingham et al. 2015): the background and 20 kinds of objects. */
const CLASSES: readonly PixelClass[] = [
  ...['background', 'aeroplane', 'bicycle', 'bird', 'boat', 'bottle', 'bus', 'car', 'cat', 'chair', 'cow'],
  ...['dining table', 'dog', 'horse', 'motorbike', 'person', 'potted plant', 'sheep', 'sofa', 'train'],
  'tv monitor',
].map((name, label) => ({ name, colour: vocColour(label) }));

const LABELS = maskLabels(
  (value) => (value < CLASSES.length ? value : value === 255 ? IGNORED : undefined),
  `0 to ${CLASSES.length - 1}, and 255 for void`,
);

const LISTS = 'ImageSets/Segmentation';
const WANTED = `a folder VOC2012 with the folders JPEGImages, SegmentationClass and ${LISTS}`;
/** Where devkits have it. */
const INSIDE = ['', 'VOC2012', 'VOCdevkit/VOC2012'];
/** What the list of the augmented training set (Hariharan et al. 2011) is called. */
const AUGMENTED = ['trainaug', 'train_aug'];
/** Where its masks are. */
const AUGMENTED_MASKS = 'SegmentationClassAug';
/** In pixels; section 5.2 of Liu et al. 2019. */
const CROP = 513;

/**
 * PASCAL VOC 2012 as it is given: images in `JPEGImages`, masks with a palette in `SegmentationClass`, and lists in
 * `ImageSets/Segmentation`. Where there is a list of the augmented training set, `trainaug.txt`, it is trained on, with
 * masks from `SegmentationClassAug` where there is that folder. `val.txt` is tested on, for the masks of the test set are
 * not published; a part of the training images validates.
 *
 * @param size height and width of the crops of training images
 * @throws InputError for a folder, a list, an image or a mask that is missing
 */
export function openVoc(path: string, options: SeenSizeOptions, size = CROP): SegmentationData {
  checkFolder(path, WANTED);
  const folder = INSIDE.map((inside) => join(path, inside)).find((one) =>
    existsSync(join(one, 'JPEGImages')),
  );
  if (folder === undefined)
    throw new InputError(`${join(path, 'JPEGImages')}: does not exist; expected ${WANTED}`);
  const augmented = AUGMENTED.find((name) => existsSync(join(folder, LISTS, `${name}.txt`)));
  const seen = seenSize(options);
  const train = listed(folder, augmented ?? 'train', seen);
  const test = listed(folder, 'val', seen);
  return {
    kind: 'voc',
    classes: CLASSES,
    train,
    test,
    crop: { height: size, width: size },
    statistics: imagenet,
    checksum: () => pairChecksum(folder, [train, test]),
    notes:
      augmented === undefined
        ? [
            `${join(folder, LISTS)} has no ${AUGMENTED[0]}.txt, so the ${train.count.toLocaleString('en')} images of train.txt are trained on`,
          ]
        : [],
  };
}

/** The images of a list: a name a line, or the paths of an image and its mask. */
function listed(folder: string, list: string, seen: SeenSize): MaskedImages {
  const file = join(folder, LISTS, `${list}.txt`);
  const lines = readDataFile(file, `a list of images, a name a line; ${WANTED}`)
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length === 0) throw new InputError(`${file}: names no image`);
  const pairs = lines.map((line): readonly [image: string, mask: string] => {
    const [image, mask] = line.split(/\s+/) as [string, string?];
    const relative = (path: string) => path.replace(/^\/+/, '');
    return mask === undefined
      ? [`JPEGImages/${image}.jpg`, maskOf(folder, image)]
      : [relative(image), relative(mask)];
  });
  for (const [index, pair] of pairs.entries())
    for (const one of pair)
      if (!existsSync(join(folder, one)))
        throw new InputError(`${join(folder, one)}: does not exist; ${file} names it in line ${index + 1}`);
  return {
    folder,
    images: pairs.map(([image]) => image),
    masks: pairs.map(([, mask]) => mask),
    count: pairs.length,
    labels: LABELS,
    seen,
  };
}

function maskOf(folder: string, name: string): string {
  const added = `${AUGMENTED_MASKS}/${name}.png`;
  return existsSync(join(folder, added)) ? added : `SegmentationClass/${name}.png`;
}
