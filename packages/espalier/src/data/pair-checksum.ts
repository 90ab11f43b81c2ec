import { createHash } from 'node:crypto';
import { ContentChecksums } from './content-checksums.js';
import type { MaskedImages } from './masked-images.js';

/**
 * SHA-256 (hexadecimal) of the paths and the contents of all images and masks, set by set. Contents are read once: see
 * `ContentChecksums`.
 *
 * @param folder that holds the files of all sets
 * @throws InputError for a file whose header is not that of an image
 */
export function pairChecksum(folder: string, sets: readonly MaskedImages[]): string {
  const contents = new ContentChecksums(folder);
  const hash = createHash('sha256');
  try {
    for (const { images, masks } of sets)
      for (const [index, image] of images.entries()) {
        const mask = masks[index] as string;
        hash.update(`${image}\0${contents.of(image)}\0${mask}\0${contents.of(mask)}\n`);
      }
  } finally {
    contents.save();
  }
  return hash.digest('hex');
}
