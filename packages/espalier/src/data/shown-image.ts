import { join } from 'node:path';
import { Random } from '../random/random.js';
import type { Augmentation } from './augmentation.js';
import { jitterColours } from './colour-jitter.js';
import { decodeImage, viewImage } from './decode-image.js';
import { centreView, drawPart, EVALUATION_MARGIN, type Size, type View } from './view.js';

/** How the files of a pass are shown. */
export interface Showing extends Size {
  readonly folder: string;
  /** Random changes, by the seed and an image's place in the order of the pass; without it the middle, as in evaluation. */
  readonly random?: {
    readonly seed: number;
    readonly epoch: number;
    readonly augmentation: Pick<Augmentation, 'crop' | 'flip' | 'colour'>;
  };
}

/**
 * An image file as a network sees it.
 *
 * @param place in the order of the pass
 * @returns bytes [height, width, 3]
 * @throws Error with the reason why the file cannot be read
 */
export async function showImage(
  file: string,
  place: number,
  { folder, height, width, random }: Showing,
): Promise<Uint8Array> {
  const image = await decodeImage(join(folder, file));
  const size = { height, width };
  if (random === undefined) return viewImage(image, centreView(image, size, EVALUATION_MARGIN));
  const { seed, epoch, augmentation } = random;
  const dice = Random.of(seed, `epoch ${epoch}, image ${place}`);
  const { crop, flip, colour } = augmentation;
  const view: View =
    crop?.from === 'parts'
      ? { part: drawPart(dice, image, crop.least), resized: size, mirrored: false }
      : centreView(image, size, EVALUATION_MARGIN);
  const mirrored = flip === true && dice.below(2) === 1;
  const pixels = await viewImage(image, { ...view, mirrored });
  if (colour !== undefined) jitterColours(pixels, dice, colour);
  return pixels;
}
