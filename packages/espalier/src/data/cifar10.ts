import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { checksumOf } from './checksum.js';
import { checkFolder, readDataFile } from './data-file.js';
import type { ImageData, ImagesInMemory } from './image-dataset.js';

const SIDE = 32;
const PLANE = SIDE * SIDE;
const CHANNELS = 3;
const RECORD = 1 + CHANNELS * PLANE;
const CLASSES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
const TRAINING_FILES = [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`);
const TEST_FILE = 'test_batch.bin';
const NAMES_FILE = 'batches.meta.txt';

/**
 * CIFAR-10 from a folder with its official binary files: `data_batch_1.bin` to `data_batch_5.bin`, in this order,
 * `test_batch.bin`, and optionally `batches.meta.txt` with the names of the classes. Images have 32 x 32 x 3 bytes. One of
 * the training files is enough; a note says which are missing.
 *
 * Throws an InputError for a missing folder or file, for a file of another size than whole images have, and for a label
 * above 9.
 */
export function openCifar10(folder: string): ImageData<ImagesInMemory> {
  checkFolder(folder, 'the folder of the binary version of CIFAR-10');
  const present = TRAINING_FILES.filter(
    (name) => lstatSync(join(folder, name), { throwIfNoEntry: false }) !== undefined,
  );
  if (present.length === 0) {
    throw new InputError(`${folder}: has none of ${TRAINING_FILES.join(', ')}; expected at least one`);
  }
  const train = readSet(present.map((name) => join(folder, name)));
  const test = readSet([join(folder, TEST_FILE)]);
  const names = join(folder, NAMES_FILE);
  return {
    kind: 'cifar10',
    classes: existsSync(names) ? readNames(names) : CLASSES,
    train,
    test,
    augmentation: { crop: { from: 'padded', margin: 4 }, flip: true },
    checksum: () => checksumOf([train, test]),
    notes: missingNote(present, train.count),
  };
}

/** No sentence, or one on the training files that are missing. */
function missingNote(present: readonly string[], count: number): string[] {
  const missing = TRAINING_FILES.filter((name) => !present.includes(name));
  if (missing.length === 0) return [];
  return [
    `The training set has ${count.toLocaleString('en')} images from ${present.length} of ${TRAINING_FILES.length} files: ` +
      `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing.`,
  ];
}

function readSet(paths: readonly string[]): ImagesInMemory {
  const files = paths.map(readRecords);
  const count = files.reduce((sum, file) => sum + file.length / RECORD, 0);
  const images = new Uint8Array(count * CHANNELS * PLANE);
  const labels = new Int32Array(count);
  let image = 0;
  files.forEach((file, f) => {
    for (let start = 0; start < file.length; start += RECORD, image++) {
      const label = file[start]!;
      if (label >= CLASSES.length) {
        throw new InputError(
          `${paths[f]}: label ${label} of image ${start / RECORD} (byte ${start} of ${file.length}); ` +
            `expected 0 to ${CLASSES.length - 1}`,
        );
      }
      labels[image] = label;
      const red = start + 1;
      const green = red + PLANE;
      const blue = green + PLANE;
      for (let pixel = 0, to = image * CHANNELS * PLANE; pixel < PLANE; pixel++, to += CHANNELS) {
        images[to] = file[red + pixel]!;
        images[to + 1] = file[green + pixel]!;
        images[to + 2] = file[blue + pixel]!;
      }
    }
  });
  return { images, labels, count, height: SIDE, width: SIDE, channels: CHANNELS };
}

function readRecords(path: string): Buffer {
  const file = readDataFile(path, 'a file of the binary version of CIFAR-10');
  if (file.length === 0 || file.length % RECORD !== 0) {
    throw new InputError(
      `${path}: has ${file.length} bytes; expected a multiple of ${RECORD} ` +
        `(1 label byte and ${CHANNELS * PLANE} pixel bytes per image), 1 image or more`,
    );
  }
  return file;
}

function readNames(path: string): string[] {
  const text = readDataFile(path, `${CLASSES.length} class names`).toString('utf8');
  const names = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (names.length !== CLASSES.length) {
    throw new InputError(
      `${path}: has ${names.length} names (${text.length} bytes); expected ${CLASSES.length}, one per line`,
    );
  }
  return names.map((name) => name.trim());
}
