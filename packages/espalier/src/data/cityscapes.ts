import { join } from 'node:path';
import { checkFolder } from './data-file.js';
import { IGNORED, maskLabels } from './mask-file.js';
import { maskedFolders } from './masked-folders.js';
import type { MaskedImages, PixelClass, SegmentationData } from './masked-images.js';
import { type SeenSizeOptions, seenSize } from './masked-options.js';
import { pairChecksum } from './pair-checksum.js';
import { imagenet } from './usual-statistics.js';

/**
 * The 19 classes that are evaluated, with their numbers among the 34 of the masks (Cordts et al. 2016;
 * github.com/mcordts/cityscapesScripts, helpers/labels.py).
 */
const EVALUATED: readonly (readonly [number, string, PixelClass['colour']])[] = [
  [7, 'road', [128, 64, 128]],
  [8, 'sidewalk', [244, 35, 232]],
  [11, 'building', [70, 70, 70]],
  [12, 'wall', [102, 102, 156]],
  [13, 'fence', [190, 153, 153]],
  [17, 'pole', [153, 153, 153]],
  [19, 'traffic light', [250, 170, 30]],
  [20, 'traffic sign', [220, 220, 0]],
  [21, 'vegetation', [107, 142, 35]],
  [22, 'terrain', [152, 251, 152]],
  [23, 'sky', [70, 130, 180]],
  [24, 'person', [220, 20, 60]],
  [25, 'rider', [255, 0, 0]],
  [26, 'car', [0, 0, 142]],
  [27, 'truck', [0, 0, 70]],
  [28, 'bus', [0, 60, 100]],
  [31, 'train', [0, 80, 100]],
  [32, 'motorcycle', [0, 0, 230]],
  [33, 'bicycle', [119, 11, 32]],
];

const LAST = 33;
/** Licence plates have the number -1, which a byte holds as 255. */
const PLATE = 255;

const classOf = new Map(EVALUATED.map(([number], label) => [number, label]));

const LABELS = maskLabels(
  (value) => classOf.get(value) ?? (value <= LAST || value === PLATE ? IGNORED : undefined),
  `0 to ${LAST}, and ${PLATE} for licence plates`,
);

const WANTED = 'a folder with the folders leftImg8bit and gtFine, each with train and val';
/** In pixels; section 5.2 of Liu et al. 2019. */
const CROP = 769;

/**
 * Cityscapes as it is given: images in `leftImg8bit/PART/CITY`, masks of 34 classes in `gtFine/PART/CITY`
 * (`..._labelIds.png`), of which 19 are evaluated and the others count as void. `val` is tested on, for the masks of `test`
 * are not published; a part of the training images validates. With `coarse` also the images of `train_extra` are trained
 * on, with the masks of `gtCoarse`.
 *
 * @param size height and width of the crops of training images
 * @throws InputError for a missing folder and for an image without a mask
 */
export function openCityscapes(
  folder: string,
  options: SeenSizeOptions & { readonly coarse: boolean },
  size = CROP,
): SegmentationData {
  checkFolder(folder, WANTED);
  const part = (name: string, annotations: 'gtFine' | 'gtCoarse', wanted = WANTED) =>
    maskedFolders(folder, {
      images: join('leftImg8bit', name),
      masks: join(annotations, name),
      maskOf: (image) => image.replace(/_leftImg8bit$/, `_${annotations}_labelIds`),
      labels: LABELS,
      seen: seenSize(options),
      wanted,
    });
  const fine = part('train', 'gtFine');
  const train = options.coarse
    ? joined(
        fine,
        part('train_extra', 'gtCoarse', `${WANTED}; with coarse=true also train_extra and gtCoarse`),
      )
    : fine;
  const test = part('val', 'gtFine');
  return {
    kind: 'cityscapes',
    classes: EVALUATED.map(([, name, colour]) => ({ name, colour })),
    train,
    test,
    crop: { height: size, width: size },
    statistics: imagenet,
    checksum: () => pairChecksum(folder, [train, test]),
  };
}

function joined(one: MaskedImages, other: MaskedImages): MaskedImages {
  return {
    ...one,
    images: [...one.images, ...other.images],
    masks: [...one.masks, ...other.masks],
    count: one.count + other.count,
  };
}
