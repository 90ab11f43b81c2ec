import { extname, join } from 'node:path';
import { InputError } from '../input-error.js';
import { checkFolder, readDataFile } from './data-file.js';
import { listImages } from './image-listing.js';
import { decodeMask, type MaskLabels } from './mask-file.js';
import type { MaskedImages } from './masked-images.js';
import { enlarged, factorOf, type SeenSize } from './shown-pair.js';
import type { Size } from './view.js';

/** Where images and masks lie inside a data set's folder. */
interface MaskedFolders {
  readonly images: string;
  readonly masks: string;
  /** What the mask of an image is called, without the endings of both names. By default as the image. */
  readonly maskOf?: (image: string) => string;
  readonly labels: MaskLabels;
  readonly seen: SeenSize;
  /** What the data set's folder should be, for messages. */
  readonly wanted: string;
}

/**
 * The images of a folder and of those below it, each with the mask at the same place in another folder; the endings of
 * their names may differ.
 *
 * @throws InputError for a missing folder, for one without an image, and for an image without a mask
 */
export function maskedFolders(
  folder: string,
  { images, masks, maskOf = (image) => image, labels, seen, wanted }: MaskedFolders,
): MaskedImages {
  checkFolder(join(folder, images), wanted);
  checkFolder(join(folder, masks), wanted);
  const { files } = listImages(join(folder, images));
  if (files.length === 0) throw new InputError(`${join(folder, images)}: has no image; expected ${wanted}`);
  const known = new Map(listImages(join(folder, masks)).files.map((file) => [stemOf(file), file]));
  const paired = files.map((file) => {
    const name = maskOf(stemOf(file));
    const mask = known.get(name);
    if (mask === undefined)
      throw new InputError(
        `${join(folder, images, file)}: has no mask; expected ${join(folder, masks, `${name}.png`)}`,
      );
    return `${masks}/${mask}`;
  });
  return {
    folder,
    images: files.map((file) => `${images}/${file}`),
    masks: paired,
    count: files.length,
    labels,
    seen,
  };
}

function stemOf(file: string): string {
  return file.slice(0, file.length - extname(file).length);
}

/** The size in which the first image of a set is seen, by its mask. @throws InputError where the mask cannot be decoded */
export function firstSize({ folder, masks, labels, seen }: MaskedImages): Size {
  const file = join(folder, masks[0] as string);
  const bytes = readDataFile(file, 'a mask');
  try {
    const mask = decodeMask(bytes, labels);
    return enlarged(mask, factorOf(seen, mask));
  } catch (error) {
    throw new InputError(`${file}: ${(error as Error).message}`);
  }
}
