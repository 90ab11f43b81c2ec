import { join } from 'node:path';
import { Random } from '../random/random.js';
import type { Augmentation } from './augmentation.js';
import { jitterColours } from './colour-jitter.js';
import { decodeImage, viewImage } from './decode-image.js';
import { centreView, drawPart, EVALUATION_MARGIN, type Size, type View } from './view.js';

/** How a pass shows its image files. */
export interface Showing extends Size {
  readonly folder: string;
  /** Random augmentation, by the seed and an image's place in the pass. Without it: the centre, as in evaluation. */
  readonly random?: {
    readonly seed: number;
    readonly epoch: number;
    readonly augmentation: Pick<Augmentation, 'crop' | 'flip' | 'colour'>;
  };
}

/** An image file as a network sees it. */
interface ShownImage {
  /** Bytes [height, width, 3]. */
  readonly pixels: Uint8Array;
  /** Whether the file is damaged, but not too much to be decoded. */
  readonly damaged: boolean;
}

/**
 * Decodes an image file, augments it and resizes it.
 *
 * @param place of the image in the order of the pass
 * @throws Error with the reason why the file cannot be decoded, without its path
 */
export async function showImage(
  file: string,
  place: number,
  { folder, height, width, random }: Showing,
): Promise<ShownImage> {
  const image = await decodeImage(join(folder, file));
  const { damaged } = image;
  const size = { height, width };
  if (random === undefined)
    return { pixels: await viewImage(image, centreView(image, size, EVALUATION_MARGIN)), damaged };
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
  return { pixels, damaged };
}
