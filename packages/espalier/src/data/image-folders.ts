import { createHash } from 'node:crypto';
import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { InputError } from '../input-error.js';
import { checkFolder } from './data-file.js';
import { dealOut } from './deal-out.js';
import { IMAGE_FORMATS } from './decode-image.js';
import type { ImageData, ImagesInFiles } from './image-dataset.js';
import { imagenet } from './usual-statistics.js';

/** Height and width, in pixels, that ImageNet's networks read. */
const USUAL_SIZE = 224;
const TEST_FOLDERS = ['test', 'val'];
const EXTENSIONS = new Set(['.png', '.jpg', '.jpeg', '.webp', '.gif', '.tif', '.tiff']);

/** Images by their class: names of files of each class's folder. */
type Listing = ReadonlyMap<string, readonly string[]>;

/**
 * Images in folders as ImageNet is kept and as `ImageFolder` of torchvision reads them: `train/CLASS/IMAGE` to train, and
 * `test/CLASS/IMAGE` to test or, without that folder, `val/CLASS/IMAGE`, for ImageNet's own test labels are not public.
 * The classes are the folders in `train` in the order of their names (by code unit). Both sets deal the classes out
 * evenly, so the first N images have them in proportion.
 *
 * Files whose name begins with a dot, or ends in none of the extensions of an image, are passed over. The pixels are
 * read when they are wanted, so a file that is damaged is found then.
 *
 * @param size height and width that a network sees
 * @throws InputError for a folder that is missing, a class without an image, and a class that is tested only
 */
export function openImageFolders(folder: string, size = USUAL_SIZE): ImageData<ImagesInFiles> {
  checkFolder(folder, 'a folder with the folders train and val (or test), of a folder for each class');
  const training = listClasses(join(folder, 'train'));
  const classes = [...training.keys()];
  if (classes.length < 2)
    throw new InputError(
      `${join(folder, 'train')}: has ${classes.length} folders of classes; at least 2 are needed`,
    );
  const testFolder = TEST_FOLDERS.find((name) => existsSync(join(folder, name))) ?? 'val';
  const testing = listClasses(join(folder, testFolder));
  for (const name of testing.keys())
    if (!training.has(name))
      throw new InputError(`${join(folder, testFolder, name)}: there is no such class in train`);
  const train = setOf(folder, 'train', training, classes, size);
  const test = setOf(folder, testFolder, testing, classes, size);
  return {
    kind: 'images',
    classes,
    train,
    test,
    augmentation: { crop: { from: 'parts', least: 0.08 }, flip: true },
    statistics: imagenet,
    checksum: () => folderChecksum([train, test]),
  };
}

function listClasses(folder: string): Listing {
  checkFolder(folder, 'a folder with a folder of images for each class');
  const names = namesIn(folder, (entry) => isFolder(folder, entry));
  return new Map(
    names.map((name) => {
      const path = join(folder, name);
      const images = namesIn(
        path,
        (entry) => EXTENSIONS.has(extname(entry.name).toLowerCase()) && !isFolder(path, entry),
      );
      if (images.length === 0)
        throw new InputError(`${path}: has no image (${IMAGE_FORMATS}); each class needs at least 1`);
      return [name, images];
    }),
  );
}

/** Sorted by code unit: the same on every machine. */
function namesIn(folder: string, wanted: (entry: Dirent) => boolean): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && wanted(entry))
    .map(({ name }) => name)
    .sort();
}

/** Also where it is a link to one, as data sets are often put together. */
function isFolder(parent: string, entry: Dirent): boolean {
  return entry.isDirectory() || (entry.isSymbolicLink() && statSync(join(parent, entry.name)).isDirectory());
}

function setOf(
  folder: string,
  part: string,
  listing: Listing,
  classes: readonly string[],
  size: number,
): ImagesInFiles {
  const all = classes.flatMap((name, label) =>
    (listing.get(name) ?? []).map((image) => ({ file: `${part}/${name}/${image}`, label })),
  );
  const order = dealOut(Int32Array.from(all, ({ label }) => label));
  return {
    folder,
    files: Array.from(order, (index) => all[index]!.file),
    labels: Int32Array.from(order, (index) => all[index]!.label),
    count: all.length,
    height: size,
    width: size,
    channels: 3,
  };
}

/** SHA-256 (hexadecimal) of the path, the size in bytes and the label of each file: reading them all would take hours. */
function folderChecksum(sets: readonly ImagesInFiles[]): string {
  const hash = createHash('sha256');
  for (const { folder, files, labels } of sets)
    files.forEach((file, i) => {
      hash.update(`${file}\0${statSync(join(folder, file)).size}\0${labels[i]}\n`);
    });
  return hash.digest('hex');
}
