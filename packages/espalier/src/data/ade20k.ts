import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { checkFolder, readDataFile } from './data-file.js';
import { IGNORED, maskLabels } from './mask-file.js';
import { maskedFolders } from './masked-folders.js';
import type { SegmentationData } from './masked-images.js';
import { type SeenSizeOptions, seenSize } from './masked-options.js';
import { pairChecksum } from './pair-checksum.js';
import { vocColour } from './pixel-colours.js';
import { imagenet } from './usual-statistics.js';

/** The classes of the scene parsing challenge (Zhou et al. 2017). */
const CLASSES = 150;

/** Number 0 is all that has none of them. */
const LABELS = maskLabels(
  (value) => (value === 0 ? IGNORED : value <= CLASSES ? value - 1 : undefined),
  `1 to ${CLASSES}, and 0 for other things`,
);

const WANTED =
  'a folder ADEChallengeData2016 with the folders images and annotations, each with training and validation';
const INSIDE = ['', 'ADEChallengeData2016'];
const NAMES = 'objectInfo150.txt';
/** In pixels; section 5.2 of Liu et al. 2019. */
const CROP = 513;

/**
 * ADE20K as the scene parsing challenge of 2016 gives it: images in `images/training` and `images/validation`, masks in
 * `annotations/training` and `annotations/validation`, and the names of the classes in `objectInfo150.txt`; without that
 * file they are numbered. `validation` is tested on, for the masks of the test set are not published; a part of the training
 * images validates.
 *
 * @param size height and width of the crops of training images
 * @throws InputError for a missing folder and for an image without a mask
 */
export function openAde20k(path: string, options: SeenSizeOptions, size = CROP): SegmentationData {
  checkFolder(path, WANTED);
  const folder = INSIDE.map((inside) => join(path, inside)).find((one) =>
    existsSync(join(one, 'annotations')),
  );
  if (folder === undefined)
    throw new InputError(`${join(path, 'annotations')}: does not exist; expected ${WANTED}`);
  const part = (name: string) =>
    maskedFolders(folder, {
      images: join('images', name),
      masks: join('annotations', name),
      labels: LABELS,
      seen: seenSize(options),
      wanted: WANTED,
    });
  const [train, test] = [part('training'), part('validation')];
  const names = namesIn(join(folder, NAMES));
  return {
    kind: 'ade20k',
    classes: Array.from({ length: CLASSES }, (_, label) => ({
      name: names?.[label] ?? `class ${label + 1}`,
      colour: vocColour(label + 1),
    })),
    train,
    test,
    crop: { height: size, width: size },
    statistics: imagenet,
    checksum: () => pairChecksum(folder, [train, test]),
  };
}

/** The names of the classes, from a table with a heading whose last column has all names of each. */
function namesIn(file: string): string[] | undefined {
  if (!existsSync(file)) return undefined;
  const rows = readDataFile(file, 'a table of the classes').toString('utf8').trim().split('\n').slice(1);
  const names = rows.map((row) => (row.split('\t').at(-1) as string).split(',')[0]?.trim() ?? '');
  if (names.length !== CLASSES)
    throw new InputError(`${file}: has ${names.length} classes; expected ${CLASSES}`);
  return names;
}
