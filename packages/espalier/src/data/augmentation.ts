import { InputError } from '../input-error.js';
import type { Random } from '../random/random.js';
import type { ColourJitter } from './colour-jitter.js';

/** Random changes of a training image, made in this order: crop, flip, colours, cutout. What is absent is not done. */
export interface Augmentation {
  /**
   * A crop of the image's own size, from a random place of a canvas that is `margin` pixels wider on each of
   * the four sides. The canvas is the image with raw 0 (black) around it, as torchvision's
   * `RandomCrop(size, padding=margin)` before `Normalize` makes it, or the image itself enlarged (bilinear,
   * half-pixel centres, as PyTorch's `interpolate(align_corners=False)`), which is what Zoph & Le do in
   * section 4.1; they do not say how much larger. Of image files, which have no size of the network's, a part whose
   * area is `least` to 1 of the image's, resized: see `drawPart`.
   */
  readonly crop?:
    | { readonly from: 'padded' | 'upsampled'; readonly margin: number }
    | { readonly from: 'parts'; readonly least: number };
  /** Mirrors left and right, one image in two. */
  readonly flip?: boolean;
  /** Of images of three colours. */
  readonly colour?: ColourJitter;
  /**
   * The side in pixels of a square set to 0 after normalisation (the mean pixel); DARTS takes 16 for CIFAR-10.
   * Its centre is any pixel, so the square can reach over the border and then covers less (DeVries & Taylor).
   */
  readonly cutout?: number;
}

/** What the dice said for one image. */
export interface Placement {
  /** Corner of the crop on the canvas, in pixels, each in [0, 2 * margin]. */
  readonly top: number;
  readonly left: number;
  readonly mirrored: boolean;
  /** Top left corner of the cutout square, may be negative. Meaningless without a cutout. */
  readonly cutTop: number;
  readonly cutLeft: number;
  /** Seed of the change of colours. Meaningless without one. */
  readonly colour: number;
}

/** Where an image stands that is not augmented. */
export const UNTOUCHED: Placement = { top: 0, left: 0, mirrored: false, cutTop: 0, cutLeft: 0, colour: 0 };

/** Throws an InputError for a margin or a cutout that is not a whole number in its range. */
export function checkAugmentation(augmentation: Augmentation): void {
  const { cutout } = augmentation;
  const margin = marginOf(augmentation);
  if (!(Number.isInteger(margin) && margin >= 0)) {
    throw new InputError(`crop margin ${margin}: must be a whole number of pixels, 0 or more`);
  }
  if (cutout !== undefined && !(Number.isInteger(cutout) && cutout >= 1)) {
    throw new InputError(`cutout ${cutout}: must be a whole number of pixels, 1 or more`);
  }
}

/** How much wider on each side than the image the canvas is that it is cropped from. */
export function marginOf({ crop }: Augmentation): number {
  return crop === undefined || crop.from === 'parts' ? 0 : crop.margin;
}

/** Throws the dice for one image of `height` x `width` pixels. */
export function drawPlacement(
  random: Random,
  augmentation: Augmentation,
  height: number,
  width: number,
): Placement {
  const { flip, colour, cutout } = augmentation;
  const places = 2 * marginOf(augmentation) + 1;
  const top = places > 1 ? random.below(places) : 0;
  const left = places > 1 ? random.below(places) : 0;
  const mirrored = flip === true && random.below(2) === 1;
  const half = Math.floor((cutout ?? 0) / 2);
  const cutTop = cutout === undefined ? 0 : random.below(height) - half;
  const cutLeft = cutout === undefined ? 0 : random.below(width) - half;
  return {
    top,
    left,
    mirrored,
    cutTop,
    cutLeft,
    colour: colour === undefined ? 0 : random.below(2 ** 31),
  };
}
