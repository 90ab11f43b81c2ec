import { realpathSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { InputError } from '../input-error.js';
import { listFolder } from './data-file.js';

/** The extensions of image files, those of torchvision's `ImageFolder`. Case does not matter. */
export const IMAGE_EXTENSIONS: readonly string[] = [
  ...['.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif', '.tiff', '.webp'],
];

/** How many files were passed over, by the reason: an extension, or that they are hidden. */
export type PassedOver = Map<string, number>;

/** The image files of a folder. */
export interface ImageListing {
  /** Paths inside the folder, with a slash between their parts. */
  readonly files: readonly string[];
  readonly passedOver: PassedOver;
}

function isImageName(name: string): boolean {
  return IMAGE_EXTENSIONS.includes(extname(name).toLowerCase());
}

export function passOver(passedOver: PassedOver, reason: string, count = 1): void {
  passedOver.set(reason, (passedOver.get(reason) ?? 0) + count);
}

/**
 * The image files of a folder and of the folders below it, by their extension, as torchvision's `ImageFolder` finds them.
 * Links are followed. Hidden files and folders are passed over, and whatever is not a file.
 *
 * @throws InputError for a link that leads nowhere, or to a folder that holds the link
 */
export function listImages(folder: string): ImageListing {
  const files: string[] = [];
  const passedOver: PassedOver = new Map();
  const list = (inside: readonly string[], above: readonly string[]) => {
    const path = join(folder, ...inside);
    const real = realpathSync(path);
    if (above.some((other) => `${other}${sep}`.startsWith(`${real}${sep}`)))
      throw new InputError(`${path}: a symbolic link leads back to ${real}, which holds the link`);
    const entries = listFolder(path);
    for (const { name, kind } of entries) {
      if (kind === 'hidden') passOver(passedOver, 'hidden');
      else if (kind === 'other') passOver(passedOver, 'no file');
      else if (kind === 'file' && !isImageName(name))
        passOver(passedOver, extname(name).toLowerCase() || 'without extension');
      else if (kind === 'file') files.push([...inside, name].join('/'));
    }
    for (const { name, kind } of entries) if (kind === 'folder') list([...inside, name], [...above, real]);
  };
  list([], []);
  return { files, passedOver };
}
