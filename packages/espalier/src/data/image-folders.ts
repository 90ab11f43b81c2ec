import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { checkFolder, listFolder } from './data-file.js';
import { dealOut } from './deal-out.js';
import { folderChecksum } from './folder-checksum.js';
import { readAnnotatedImages } from './image-annotations.js';
import type { ImageData, ImagesInFiles } from './image-dataset.js';
import { IMAGE_EXTENSIONS, listImages, type PassedOver, passOver } from './image-listing.js';
import { imagenet } from './usual-statistics.js';

/** Height and width, in pixels, that ImageNet's networks read. */
const USUAL_SIZE = 224;
/** The only folder in a part of Tiny ImageNet without a folder for each class. */
const FLAT_FOLDER = 'images';

/** The labelled images of `train`, `val` or `test`. */
interface Part {
  readonly name: string;
  readonly images: readonly { readonly file: string; readonly label: string }[];
  readonly passedOver: PassedOver;
}

/**
 * Images in folders as ImageNet is kept and as torchvision's `ImageFolder` reads them: `train/CLASS/.../IMAGE` to train,
 * and `test/CLASS/.../IMAGE` to test. `val` is the test set if `test` is missing or its images have no labels, as those of
 * ImageNet's; its labels may also be in `val/val_annotations.txt`, as Tiny ImageNet's are. The classes are the folders in
 * `train`, in the order of their names. In both sets, the first N images have the classes in proportion.
 *
 * The notes say how many files were passed over: those with another extension than `ImageFolder`'s, and hidden ones. The
 * pixels are read when they are needed, so most damage is found only then.
 *
 * @param size height and width that a network sees, in pixels
 * @throws InputError for a missing folder, a link that leads nowhere, a class without an image, a class that is only
 *   tested, and if neither `test` nor `val` has labels
 */
export function openImageFolders(folder: string, size = USUAL_SIZE): ImageData<ImagesInFiles> {
  checkFolder(folder, 'a folder with the folders train and val (or test), of a folder for each class');
  const training = listClasses(folder, 'train');
  const classes = [...new Set(training.images.map(({ label }) => label))];
  if (classes.length < 2)
    throw new InputError(
      `${join(folder, 'train')}: has ${classes.length} ${classes.length === 1 ? 'class' : 'classes'}; ` +
        'expected a folder of images for each of 2 classes or more',
    );
  const { part: testing, notes } = findTestPart(folder, new Set(classes));
  const train = setOf(folder, training, classes, size);
  const test = setOf(folder, testing, classes, size);
  return {
    kind: 'images',
    classes,
    train,
    test,
    augmentation: { crop: { from: 'parts', least: 0.08 }, flip: true },
    statistics: imagenet,
    checksum: () => folderChecksum(folder, [train, test]),
    notes: [...notes, ...[training, testing].flatMap(passedOverNote)],
  };
}

const CLASS_FOLDERS = 'a folder with a folder of images for each class';

/** The first of `test` and `val` whose images have labels. */
function findTestPart(folder: string, classes: ReadonlySet<string>): { part: Part; notes: string[] } {
  const unlabelled: string[] = [];
  for (const name of ['test', 'val']) {
    if (lstatSync(join(folder, name), { throwIfNoEntry: false }) === undefined) continue;
    const part = listLabelled(folder, name, classes);
    if (part === undefined) unlabelled.push(name);
    else
      return {
        part,
        notes: unlabelled.map(
          (other) => `The images in ${other} have no labels, so ${name} is the test set.`,
        ),
      };
  }
  if (unlabelled.length === 0) checkFolder(join(folder, 'val'), CLASS_FOLDERS);
  throw new InputError(
    `${folder}: the images in ${unlabelled.join(' and ')} have no labels, so there is no test set; ` +
      `expected test or val to be ${CLASS_FOLDERS}`,
  );
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
    const images = files.map((file, i) => ({ file: `${name}/${file}`, label: labels[i]! }));
    return { name, images, passedOver };
  }
  for (const other of folders)
    if (!classes.has(other)) throw new InputError(`${join(path, other)}: there is no such class in train`);
  return listClasses(folder, name);
}

/** The images in a folder for each class. */
function listClasses(folder: string, name: string): Part {
  const path = join(folder, name);
  checkFolder(path, CLASS_FOLDERS);
  const images: { file: string; label: string }[] = [];
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
    for (const file of listing.files) images.push({ file: `${name}/${label}/${file}`, label });
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
function setOf(folder: string, { images }: Part, classes: readonly string[], size: number): ImagesInFiles {
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
