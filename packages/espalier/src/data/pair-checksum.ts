import { createHash } from 'node:crypto';
import { type ContentCheck, ContentChecksums } from './content-checksums.js';
import { requireEqualSizes } from './equal-sizes.js';
import { decodeMask, MASK_WANTED, type MaskLabels } from './mask-file.js';
import type { MaskedImages } from './masked-images.js';

/**
 * SHA-256 (hexadecimal) of the paths and the contents of all images and masks, set by set. Contents are read once, and the
 * labels of masks are looked at then: see `ContentChecksums`.
 *
 * @param folder that holds the files of all sets
 * @throws InputError with the path of a file that is no image or no mask, of a mask with a label that its data does not
 *   have, or of one that has another size than its image
 */
export function pairChecksum(folder: string, sets: readonly MaskedImages[]): string {
  const contents = new ContentChecksums(folder);
  const checked = new Map<MaskLabels, ContentChecksums>();
  const hash = createHash('sha256');
  try {
    for (const { images, masks, labels } of sets) {
      const maskContents = checked.get(labels) ?? new ContentChecksums(folder, maskCheck(labels));
      checked.set(labels, maskContents);
      for (const [index, image] of images.entries()) {
        const mask = masks[index] as string;
        hash.update(`${image}\0${contents.of(image)}\0${mask}\0${maskContents.of(mask)}\n`);
        requireEqualSizes(folder, image, mask);
      }
    }
  } finally {
    for (const each of [contents, ...checked.values()]) each.save();
  }
  return hash.digest('hex');
}

function maskCheck(labels: MaskLabels): ContentCheck {
  return {
    name: `masks with ${labels.allowed}`,
    wanted: MASK_WANTED,
    faultOf(bytes) {
      try {
        decodeMask(bytes, labels);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    },
  };
}
