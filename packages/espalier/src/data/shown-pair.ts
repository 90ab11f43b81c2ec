import { join } from 'node:path';
import { Random } from '../random/random.js';
import { decodeImage, viewImage } from './decode-image.js';
import type { DecodedImage } from './decoded-image.js';
import { unequalSizes } from './equal-sizes.js';
import { IGNORED, type MaskLabels, readMask } from './mask-file.js';
import type { IndexImage } from './png.js';
import type { Part, Size } from './view.js';

/** In which size an image is seen, before it is cropped: enlarged by a factor, or with a longer side of so many pixels. */
export type SeenSize = { readonly scale: number } | { readonly longest: number };

/** Random changes of a training image together with its mask. */
export interface PairAugmentation {
  /**
   * The least and the greatest factor by which an image is enlarged before it is cropped, in steps of a quarter. DeepLab
   * draws from 0.5 to 2 (Chen et al. 2017, "Rethinking atrous convolution", section 4.1; the steps are those of the authors'
   * train.py).
   */
  readonly scale?: { readonly least: number; readonly most: number };
  /** Exchanges left and right of one image in two. */
  readonly flip?: boolean;
}

/** How a pass shows images with their masks. */
export interface PairShowing {
  readonly folder: string;
  readonly labels: MaskLabels;
  readonly seen: SeenSize;
  /** Red, green and blue of what lies beyond an image: the mean pixel, which is nearly 0 after normalisation. */
  readonly beyond: readonly [number, number, number];
  /**
   * A crop of this size, at a random place where the image is larger, and filled up at the right and at the bottom where it
   * is smaller, with the label `IGNORED`. By the seed and an image's place in the pass. Without it: the image as it is.
   */
  readonly crop?: Size & {
    readonly seed: number;
    readonly epoch: number;
    readonly augmentation: PairAugmentation;
  };
}

/** An image with its mask as a network sees them. */
export interface ShownPair extends Size {
  /** Bytes [height, width, 3]. */
  readonly pixels: Uint8Array;
  /** [height, width]: the class of each pixel, or `IGNORED`. */
  readonly labels: Uint8Array;
  /** Whether the file of the image is damaged, but not too much to be decoded. */
  readonly damaged: boolean;
}

/** Where an image comes into a crop. */
interface Placement {
  /** The part of the image that is seen. */
  readonly part: Part;
  /** The size in which it is seen, at most that of the crop. */
  readonly resized: Size;
  readonly mirrored: boolean;
}

const STEP = 0.25;

/**
 * Decodes an image and its mask, and crops both at the same place.
 *
 * @param place of the image in the order of the pass
 * @throws Error with the path of the file and the reason
 */
export async function showPair(
  image: string,
  mask: string,
  place: number,
  { folder, labels, seen, beyond, crop }: PairShowing,
): Promise<ShownPair> {
  const decoded = await named(join(folder, image), (path) => decodeImage(path));
  const classes = await named(join(folder, mask), (path) => readMask(path, labels));
  const { damaged } = decoded;
  if (classes.width !== decoded.width || classes.height !== decoded.height)
    throw new Error(unequalSizes(join(folder, mask), classes, image, decoded));
  const factor = factorOf(seen, decoded);
  if (crop === undefined) return whole(decoded, classes, factor);
  const { seed, epoch, augmentation } = crop;
  const placement = drawPlacement(
    Random.of(seed, `epoch ${epoch}, image ${place}`),
    decoded,
    crop,
    augmentation,
    factor,
  );
  return {
    pixels: await croppedPixels(decoded, placement, crop, beyond),
    labels: croppedLabels(classes, placement, crop),
    height: crop.height,
    width: crop.width,
    damaged,
  };
}

async function named<T>(path: string, body: (path: string) => Promise<T>): Promise<T> {
  try {
    return await body(path);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`);
  }
}

/** The factor by which an image is enlarged before anything else. */
export function factorOf(seen: SeenSize, { height, width }: Size): number {
  return 'longest' in seen ? seen.longest / Math.max(height, width) : seen.scale;
}

/** Of a size that is enlarged by a factor. */
export function enlarged({ height, width }: Size, factor: number): Size {
  const along = (length: number) => Math.max(1, Math.round(length * factor));
  return { height: along(height), width: along(width) };
}

/** An image as a whole. */
async function whole(
  image: DecodedImage & { readonly damaged: boolean },
  classes: IndexImage,
  factor: number,
): Promise<ShownPair> {
  const { width, height, damaged } = image;
  const size = enlarged(image, factor);
  if (size.width === width && size.height === height)
    return { pixels: image.data, labels: classes.data, width, height, damaged };
  const placement = { part: { top: 0, left: 0, width, height }, resized: size, mirrored: false };
  return {
    pixels: await viewImage(image, placement),
    labels: croppedLabels(classes, placement, size),
    ...size,
    damaged,
  };
}

/**
 * Draws the scale, the place and whether left and right are exchanged, in this order.
 *
 * @param factor by which the image is enlarged besides the scale that is drawn
 */
export function drawPlacement(
  random: Random,
  image: Size,
  crop: Size,
  { scale, flip }: PairAugmentation,
  factor = 1,
): Placement {
  const steps = scale === undefined ? 0 : Math.round((scale.most - scale.least) / STEP);
  const drawn = scale === undefined ? 1 : scale.least + STEP * random.below(steps + 1);
  const all = factor * drawn;
  /** Along one axis: the pixels of the image that are seen, and how many they become. */
  const along = (length: number, cropped: number) => {
    const scaled = Math.max(1, Math.round(length * all));
    if (scaled <= cropped) return { begin: 0, seen: length, becomes: scaled };
    const seen = Math.min(length, Math.max(1, Math.round(cropped / all)));
    return { begin: random.below(length - seen + 1), seen, becomes: cropped };
  };
  const down = along(image.height, crop.height);
  const right = along(image.width, crop.width);
  return {
    part: { left: right.begin, top: down.begin, width: right.seen, height: down.seen },
    resized: { height: down.becomes, width: right.becomes },
    mirrored: flip === true && random.below(2) === 1,
  };
}

async function croppedPixels(
  image: DecodedImage,
  { part, resized, mirrored }: Placement,
  crop: Size,
  beyond: readonly [number, number, number],
): Promise<Uint8Array> {
  const seen = await viewImage(image, { part, resized, mirrored });
  if (resized.height === crop.height && resized.width === crop.width) return seen;
  const pixels = new Uint8Array(crop.height * crop.width * 3);
  for (let i = 0; i < pixels.length; i += 3) pixels.set(beyond, i);
  for (let y = 0; y < resized.height; y++)
    pixels.set(seen.subarray(y * resized.width * 3, (y + 1) * resized.width * 3), y * crop.width * 3);
  return pixels;
}

/** Classes have no values in between: each pixel has the class of the pixel under its centre. */
export function croppedLabels(
  { data, width }: IndexImage,
  { part, resized, mirrored }: Placement,
  crop: Size,
): Uint8Array {
  const labels = new Uint8Array(crop.height * crop.width).fill(IGNORED);
  const columns = Int32Array.from({ length: resized.width }, (_, x) => {
    const column = mirrored ? resized.width - 1 - x : x;
    return part.left + Math.floor(((column + 0.5) * part.width) / resized.width);
  });
  for (let y = 0; y < resized.height; y++) {
    const row = (part.top + Math.floor(((y + 0.5) * part.height) / resized.height)) * width;
    const to = y * crop.width;
    for (let x = 0; x < resized.width; x++) labels[to + x] = data[row + (columns[x] as number)] as number;
  }
  return labels;
}
