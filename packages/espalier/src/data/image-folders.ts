import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { checkFolder, listFolder } from './data-file.js';
import { dealOut } from './deal-out.js';
import { folderChecksum } from './folder-checksum.js';
import { readAnnotatedImages } from './image-annotations.js';
import type { ImageData, ImagesInFiles } from './image-dataset.js';
import { IMAGE_EXTENSIONS, listImages, type PassedOver, passOver } from './image-listing.js';
import { splitOffTest } from './split-off.js';
import { imagenet } from './usual-statistics.js';

/** Height and width, in pixels, that ImageNet's networks read. */
const USUAL_SIZE = 224;
/** The only folder in a part of Tiny ImageNet without a folder for each class. */
const FLAT_FOLDER = 'images';
const TRAINING = 'train';
const TEST = 'test';
/** What the part to validate on is called. */
const VALIDATION = ['val', 'valid', 'validation'];
/** A note names at most this many files. */
const MOST_NAMED = 5;

const CLASS_FOLDERS = 'a folder with a folder of images for each class';

interface LabelledImage {
  /** Path inside the data's folder. */
  readonly file: string;
  readonly label: string;
}

/** The labelled images of `train`, `val` or `test`. */
interface Part {
  readonly name: string;
  readonly images: readonly LabelledImage[];
  readonly passedOver: PassedOver;
}

/** All that a folder holds, each image with what it is for. */
interface Parts {
  readonly train: readonly LabelledImage[];
  readonly validation?: readonly LabelledImage[];
  readonly test: readonly LabelledImage[];
  readonly notes: readonly string[];
}

/**
 * Images in folders as ImageNet is kept and as torchvision's `ImageFolder` reads them: `train/CLASS/.../IMAGE` to train,
 * `test/CLASS/.../IMAGE` to test, and `val/CLASS/.../IMAGE` to validate (or `valid`, `validation`). `val` is the test set if
 * `test` is missing or its images have no labels, as those of ImageNet's; its labels may also be in
 * `val/val_annotations.txt`, as Tiny ImageNet's are. A folder of classes, without `train`, is split: a tenth of each class
 * tests, and so it is where neither `test` nor `val` has labels. The classes are the folders in `train`, in the order of
 * their names. In all sets, the first N images have the classes in proportion.
 *
 * The notes say how many files were passed over: those with another extension than `ImageFolder`'s, and hidden ones. The
 * pixels are read when they are needed, so most damage is found only then.
 *
 * @param size height and width that a network sees, in pixels
 * @throws InputError for a missing folder, a link that leads nowhere, a class without an image, and a class that is not
 *   trained on
 */
export function openImageFolders(folder: string, size = USUAL_SIZE): ImageData<ImagesInFiles> {
  checkFolder(folder, 'a folder with the folders train and val (or test), of a folder for each class');
  const parts = isFolderOfClasses(folder) ? splitFolder(folder) : partsOf(folder);
  const classes = [...new Set(parts.train.map(({ label }) => label))].sort(byCodePoint);
  const set = (images: readonly LabelledImage[]) => setOf(folder, images, classes, size);
  const train = set(parts.train);
  const validation = parts.validation && set(parts.validation);
  const test = set(parts.test);
  const sets = [train, ...(validation === undefined ? [] : [validation]), test];
  return {
    kind: 'images',
    classes,
    train,
    ...(validation === undefined ? {} : { validation }),
    test,
    augmentation: { crop: { from: 'parts', least: 0.08 }, flip: true },
    statistics: imagenet,
    checksum: () => folderChecksum(folder, sets),
    notes: parts.notes,
  };
}

/** Whether the classes are in the folder itself: it has folders, and none is called as a part. */
function isFolderOfClasses(folder: string): boolean {
  const folders = listFolder(folder).filter(({ kind }) => kind === 'folder');
  const parts = [TRAINING, TEST, ...VALIDATION];
  return folders.length > 0 && !folders.some(({ name }) => parts.includes(name));
}

function splitFolder(folder: string): Parts {
  const all = listClasses(folder, '.');
  requireClasses(folder, all.images);
  return {
    ...splitOff(folder, all.images),
    notes: [
      `${folder} has no folder ${TRAINING}, so ${splitText(folder, all.images)}`,
      ...passedOverNote({ ...all, name: folder }),
    ],
  };
}

function partsOf(folder: string): Parts {
  const training = listClasses(folder, TRAINING);
  requireClasses(join(folder, TRAINING), training.images);
  const classes = new Set(training.images.map(({ label }) => label));
  const called = (name: string) => lstatSync(join(folder, name), { throwIfNoEntry: false }) !== undefined;
  const others = [TEST, ...VALIDATION.filter(called).slice(0, 1)].filter(called);
  const listed = others.map((name) => ({ name, part: listLabelled(folder, name, classes) }));
  const labelled = listed.flatMap(({ part }) => part ?? []);
  const unlabelled = listed.filter(({ part }) => part === undefined).map(({ name }) => name);
  const [testing, validating] = labelled;
  const notes = [
    ...[training, ...labelled].flatMap(passedOverNote),
    ...besideNote(folder, [TRAINING, ...others]),
  ];
  if (testing === undefined)
    return {
      ...splitOff(join(folder, TRAINING), training.images),
      notes: [
        `${
          unlabelled.length === 0
            ? `${folder} has neither ${TEST} nor ${VALIDATION[0]}`
            : `The images in ${unlabelled.join(' and ')} have no labels`
        }, so ${splitText(TRAINING, training.images)}`,
        ...notes,
      ],
    };
  return {
    train: training.images,
    ...(validating === undefined ? {} : { validation: validating.images }),
    test: testing.images,
    notes: [
      ...unlabelled.map(
        (name) => `The images in ${name} have no labels, so ${testing.name} is the test set.`,
      ),
      ...notes,
    ],
  };
}

function requireClasses(path: string, images: readonly LabelledImage[]): void {
  const { size } = new Set(images.map(({ label }) => label));
  if (size < 2)
    throw new InputError(
      `${path}: has ${size} ${size === 1 ? 'class' : 'classes'}; ` +
        'expected a folder of images for each of 2 classes or more',
    );
}

/** @param path for messages */
function splitOff(path: string, images: readonly LabelledImage[]) {
  try {
    return splitOffTest(images);
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${path}: ${error.message}`) : error;
  }
}

const splitText = (name: string, images: readonly LabelledImage[]): string =>
  `${splitOff(name, images).test.length} of the ${images.length} images in ${name}, a tenth of each class drawn at random, ` +
  'are the test set, the same in every run.';

/** No sentence, or one on what is in the folder besides the parts. */
function besideNote(folder: string, parts: readonly string[]): string[] {
  const beside = listFolder(folder)
    .map(({ name }) => name)
    .filter((name) => !parts.includes(name));
  if (beside.length === 0) return [];
  const named = beside.slice(0, MOST_NAMED).join(', ');
  const more = beside.length > MOST_NAMED ? ` and ${beside.length - MOST_NAMED} more` : '';
  return [
    `${folder}: ${beside.length} ${beside.length === 1 ? 'entry is' : 'entries are'} passed over beside ` +
      `${parts.join(', ')}: ${named}${more}.`,
  ];
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** @returns undefined for images without labels: neither in a folder for each class nor annotated */
function listLabelled(folder: string, name: string, classes: ReadonlySet<string>): Part | undefined {
  const path = join(folder, name);
  checkFolder(path, CLASS_FOLDERS);
  const entries = listFolder(path);
  const folders = entries.filter(({ kind }) => kind === 'folder').map((entry) => entry.name);
  if (folders.length === 0) return undefined;
  if (folders.join() === FLAT_FOLDER && !classes.has(FLAT_FOLDER)) {
    const annotations = `${name}_annotations.txt`;
    if (!entries.some((entry) => entry.name === annotations)) return undefined;
    const { files, classes: labels, passedOver } = readAnnotatedImages(path, annotations, classes);
    if (files.length === 0) return undefined;
    const images = files.map((file, i) => ({ file: `${name}/${file}`, label: labels[i]! }));
    return { name, images, passedOver };
  }
  for (const other of folders)
    if (!classes.has(other))
      throw new InputError(`${join(path, other)}: there is no such class in ${TRAINING}`);
  return listClasses(folder, name);
}

/** The images in a folder for each class. @param name of the part; '.' for the data's folder itself */
function listClasses(folder: string, name: string): Part {
  const path = join(folder, name);
  checkFolder(path, CLASS_FOLDERS);
  const images: LabelledImage[] = [];
  const passedOver: PassedOver = new Map();
  for (const { name: label, kind } of listFolder(path)) {
    if (kind !== 'folder') {
      passOver(passedOver, kind === 'hidden' ? 'hidden' : 'outside the class folders');
      continue;
    }
    const listing = listImages(join(path, label));
    if (listing.files.length === 0)
      throw new InputError(
        `${join(path, label)}: has no image (${IMAGE_EXTENSIONS.join(', ')}); each class needs at least 1`,
      );
    const place = name === '.' ? label : `${name}/${label}`;
    for (const file of listing.files) images.push({ file: `${place}/${file}`, label });
    for (const [reason, count] of listing.passedOver) passOver(passedOver, reason, count);
  }
  return { name, images, passedOver };
}

/** No sentence, or one such as `train: 3 files are passed over: 2 .txt, 1 hidden.` */
function passedOverNote({ name, passedOver }: Part): string[] {
  const total = [...passedOver.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return [];
  const reasons = [...passedOver].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return [`${name}: ${total} ${total === 1 ? 'file is' : 'files are'} passed over: ${reasons}.`];
}

/** The set of a part, with its classes dealt out evenly. */
function setOf(
  folder: string,
  images: readonly LabelledImage[],
  classes: readonly string[],
  size: number,
): ImagesInFiles {
  const labelOf = new Map(classes.map((name, label) => [name, label]));
  const labels = Int32Array.from(images, ({ label }) => labelOf.get(label)!);
  const order = dealOut(labels);
  return {
    folder,
    files: Array.from(order, (index) => images[index]!.file),
    labels: order.map((index) => labels[index]!),
    count: images.length,
    height: size,
    width: size,
    channels: 3,
  };
}
