import type { Random } from '../random/random.js';
import { greyAt } from './grey.js';

/** How much the colours of a training image change at random. */
export interface ColourJitter {
  /** Brightness, contrast and saturation are multiplied by a factor from 1 - strength to 1 + strength. */
  readonly strength: number;
  /** The hue turns by at most this many full turns, to either side; at most 1/2. */
  readonly hue: number;
}

/** Pillow computes in single precision and rounds down, so the last bit can change a byte. */
const { fround } = Math;

type Change = (pixels: Uint8Array) => void;

/**
 * Changes brightness, contrast, saturation and hue by random amounts in random order, as torchvision's `ColorJitter` does
 * with Pillow's images. DARTS uses it on ImageNet (the authors' cnn/train_imagenet.py: 0.4, and 0.2 for the hue).
 *
 * @param pixels bytes [height, width, 3] of red, green and blue, changed in place
 */
export function jitterColours(pixels: Uint8Array, random: Random, { strength, hue }: ColourJitter): void {
  const factor = () =>
    Math.max(0, 1 - strength) + random.uniform() * (1 + strength - Math.max(0, 1 - strength));
  const [brightness, contrast, saturation] = [factor(), factor(), factor()] as const;
  const turn = (2 * random.uniform() - 1) * hue;
  const changes: readonly Change[] = [
    (image) => scaleBrightness(image, brightness),
    (image) => scaleContrast(image, contrast),
    (image) => scaleSaturation(image, saturation),
    (image) => turnHue(image, turn),
  ];
  for (const index of random.permutation(changes.length)) changes[index]!(pixels);
}

/** Multiplies every value. */
export function scaleBrightness(pixels: Uint8Array, factor: number): void {
  for (let i = 0; i < pixels.length; i++) pixels[i] = blend(0, pixels[i]!, factor);
}

/** Moves every value away from the mean brightness of the image, or towards it. */
export function scaleContrast(pixels: Uint8Array, factor: number): void {
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 3) sum += greyAt(pixels, i);
  const mean = Math.floor((3 * sum) / pixels.length + 0.5);
  for (let i = 0; i < pixels.length; i++) pixels[i] = blend(mean, pixels[i]!, factor);
}

/** Moves the values of each pixel away from its own brightness, or towards it. */
export function scaleSaturation(pixels: Uint8Array, factor: number): void {
  for (let i = 0; i < pixels.length; i += 3) {
    const own = greyAt(pixels, i);
    for (let c = i; c < i + 3; c++) pixels[c] = blend(own, pixels[c]!, factor);
  }
}

/**
 * Turns the hue, in Pillow's steps of 1/255 of a turn.
 *
 * @param turns -1/2 to 1/2
 */
export function turnHue(pixels: Uint8Array, turns: number): void {
  const by = Math.trunc(turns * 255);
  for (let i = 0; i < pixels.length; i += 3) {
    const red = pixels[i]!;
    const green = pixels[i + 1]!;
    const blue = pixels[i + 2]!;
    const most = Math.max(red, green, blue);
    const range = most - Math.min(red, green, blue);
    // Grey has no hue.
    if (range === 0) continue;
    const saturation = Math.trunc(fround(range / most) * 255);
    const sixths =
      red === most
        ? (green - blue) / range
        : green === most
          ? 2 + (blue - red) / range
          : 4 + (red - green) / range;
    const hue = (Math.trunc(fround((sixths / 6 + 1) % 1) * 255) + by) & 255;
    paint(pixels, i, (hue * 6) / 255, saturation / 255, most);
  }
}

/**
 * Writes the colour of a hue, a saturation and a largest value.
 *
 * @param hue in sixths of a turn, 0 to below 6
 * @param saturation 0 to 1
 */
function paint(pixels: Uint8Array, at: number, hue: number, saturation: number, most: number): void {
  const sixth = Math.floor(hue);
  const rest = hue - sixth;
  const least = Math.round(most * (1 - saturation));
  const falling = Math.round(most * (1 - saturation * rest));
  const rising = Math.round(most * (1 - saturation * (1 - rest)));
  const even = sixth % 2 === 0;
  const between = even ? rising : falling;
  // Which channel is the largest and which is in between: 0 red, 1 green, 2 blue.
  const largest = ((sixth + 1) >> 1) % 3;
  const middle = even ? (largest + 1) % 3 : (largest + 2) % 3;
  pixels[at + largest] = most;
  pixels[at + middle] = between;
  pixels[at + 3 - largest - middle] = least;
}

function blend(from: number, to: number, factor: number): number {
  const value = fround(from + fround(fround(factor) * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : Math.trunc(value);
}
