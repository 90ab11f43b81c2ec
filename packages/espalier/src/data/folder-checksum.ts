import { createHash } from 'node:crypto';
import { ContentChecksums } from './content-checksums.js';
import type { ImagesInFiles } from './image-dataset.js';

/**
 * SHA-256 (hexadecimal) of the path, the content and the label of each image file. Contents are read once: see
 * `ContentChecksums`.
 *
 * @param folder that holds the files of all sets
 * @throws InputError for a file whose header is not that of an image
 */
export function folderChecksum(folder: string, sets: readonly ImagesInFiles[]): string {
  const contents = new ContentChecksums(folder);
  const hash = createHash('sha256');
  try {
    for (const { files, labels } of sets)
      files.forEach((file, i) => {
        hash.update(`${file}\0${contents.of(file)}\0${labels[i]}\n`);
      });
  } finally {
    contents.save();
  }
  return hash.digest('hex');
}
