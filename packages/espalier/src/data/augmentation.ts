import { InputError } from '../input-error.js';
import type { Random } from '../random/random.js';
import type { ColourJitter } from './colour-jitter.js';

/** Random changes of a training image, in this order: crop, flip, colours, cutout. A change without a setting is not made. */
export interface Augmentation {
  /**
   * A crop of the image's own size, at a random place of a canvas that is `margin` pixels wider on each of the four
   * sides. The canvas is either the image with raw 0 (black) around it, as torchvision's
   * `RandomCrop(size, padding=margin)` makes it before `Normalize`, or the enlarged image (bilinear, half-pixel centres,
   * as PyTorch's `interpolate(align_corners=False)`). Zoph & Le do the latter (section 4.1); they do not say how much
   * larger the image is. An image file, whose size is not the network's, is cropped to a part whose area is `least` to 1
   * of the image's, and resized: see `drawPart`.
   */
  readonly crop?:
    | { readonly from: 'padded' | 'upsampled'; readonly margin: number }
    | { readonly from: 'parts'; readonly least: number };
  /** Exchanges left and right of one image in two. */
  readonly flip?: boolean;
  /** Needs images with three channels. */
  readonly colour?: ColourJitter;
  /**
   * The side, in pixels, of a square that is set to 0 after normalisation (the mean pixel); DARTS uses 16 on CIFAR-10.
   * Its centre can be any pixel, so the square may extend over the border and cover less (DeVries & Taylor).
   */
  readonly cutout?: number;
}

/** The random changes of one image. */
export interface Placement {
  /** Corner of the crop on the canvas, in pixels, each in [0, 2 * margin]. */
  readonly top: number;
  readonly left: number;
  readonly mirrored: boolean;
  /** Top left corner of the cutout square, in pixels; may be negative. Without meaning if there is no cutout. */
  readonly cutTop: number;
  readonly cutLeft: number;
  /** Seed of the change of colours. Without meaning if there is none. */
  readonly colour: number;
}

/** The placement of an image that is not augmented. */
export const UNTOUCHED: Placement = { top: 0, left: 0, mirrored: false, cutTop: 0, cutLeft: 0, colour: 0 };

/** Throws an InputError for a margin or a cutout that is out of range or not a whole number. */
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

/** By how many pixels the canvas of a crop exceeds the image on each side. */
export function marginOf({ crop }: Augmentation): number {
  return crop === undefined || crop.from === 'parts' ? 0 : crop.margin;
}

/** Draws the changes of one image of `height` x `width` pixels. */
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
