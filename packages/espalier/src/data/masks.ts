import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import { checkFolder, readDataFile } from './data-file.js';
import { IGNORED, MOST_CLASSES, maskLabels } from './mask-file.js';
import { firstSize, maskedFolders } from './masked-folders.js';
import type { MaskedImages, SegmentationData } from './masked-images.js';
import { type SeenSizeOptions, seenSize } from './masked-options.js';
import { holdOutPairs } from './masked-split.js';
import { pairChecksum } from './pair-checksum.js';
import { vocColour } from './pixel-colours.js';
import { imagenet } from './usual-statistics.js';

const NAMES = 'classes.txt';

/** Every run tests on the same images, whatever its own seed: none may have learnt from them. */
const SEED = 1;

interface MasksOptions extends SeenSizeOptions {
  readonly images: string;
  readonly masks: string;
  readonly classes: number;
  readonly void: number;
  readonly test: number;
}

/**
 * Images and masks of one's own: a folder of images and one of masks that are called as the images. Masks have the number
 * of a class in each pixel, from 0 on, or that of void. A share of the images tests.
 *
 * @param size height and width of the crops of training images; by default they are as large as the first image
 * @throws InputError for a missing folder, an image without a mask, and where nothing says how many classes there are
 */
export function openMaskFolders(folder: string, options: MasksOptions, size?: number): SegmentationData {
  const wanted = `a folder with the folders ${options.images} and ${options.masks} (options images and masks)`;
  checkFolder(folder, wanted);
  const names = namesIn(join(folder, NAMES));
  const classes = options.classes || (names?.length ?? 0);
  if (classes === 0)
    throw new InputError(
      `masks:${folder}: nothing says how many classes there are; write masks:${folder},classes=N, or their names in ` +
        `${join(folder, NAMES)}, one a line`,
    );
  if (names !== undefined && names.length !== classes)
    throw new InputError(`${join(folder, NAMES)}: has ${names.length} names; classes=${classes}`);
  if (classes > MOST_CLASSES)
    throw new InputError(`${join(folder, NAMES)}: has ${classes} names; allowed: ${MOST_CLASSES} and fewer`);
  const all = maskedFolders(folder, {
    images: options.images,
    masks: options.masks,
    labels: maskLabels(
      (value) => (value === options.void ? IGNORED : value < classes ? value : undefined),
      `0 to ${classes - 1}, and ${options.void} for void`,
    ),
    seen: seenSize(options),
    wanted,
  });
  const { train, test } = split(all, options.test);
  return {
    kind: 'masks',
    classes: Array.from({ length: classes }, (_, label) => ({
      name: names?.[label] ?? `class ${label}`,
      colour: vocColour(label),
    })),
    train,
    test,
    crop: size === undefined ? firstSize(train) : { height: size, width: size },
    statistics: imagenet,
    checksum: () => pairChecksum(folder, [train, test]),
  };
}

/** The training images come in an order that chance decides, so that the first of them are a sample of all. */
function split(all: MaskedImages, share: number): { train: MaskedImages; test: MaskedImages } {
  const count = Math.max(1, Math.round(share * all.count));
  if (all.count < 2)
    throw new InputError(
      `${join(all.folder, all.images[0] as string)}: is the only image; at least 2 are needed`,
    );
  const { train, heldOut } = holdOutPairs(all, { count: Math.min(count, all.count - 1), seed: SEED });
  const order = Random.of(SEED, 'order of training images').permutation(train.count);
  const of = (files: readonly string[]) => Array.from(order, (index) => files[index] as string);
  return { train: { ...train, images: of(train.images), masks: of(train.masks) }, test: heldOut };
}

function namesIn(file: string): string[] | undefined {
  if (!existsSync(file)) return undefined;
  return readDataFile(file, 'the names of the classes, one a line').toString('utf8').trim().split(/\r?\n/);
}
