import { existsSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import type { DecodedImage } from '../../data/decoded-image.js';
import { encodePng } from '../../data/encode-png.js';
import type { PixelClass } from '../../data/masked-images.js';
import { InputError } from '../../input-error.js';
import type { WrittenFile } from '../task-definition.js';

/** The share of the colour of the class in the overlay. */
const OPACITY = 0.5;

/** @throws InputError for a path that pictures cannot be written to */
export function checkPictures(out: string): void {
  if (extname(out).toLowerCase() !== '.png')
    throw new InputError(
      `--out ${out}: allowed: a name that ends with .png; the overlay is written beside it`,
    );
  if (!existsSync(dirname(out))) throw new InputError(`--out ${out}: there is no folder ${dirname(out)}`);
}

/**
 * The mask in the colours of the classes, and beside it the image under it.
 *
 * @param labels [height, width]
 */
export async function maskPictures(
  out: string,
  image: DecodedImage,
  labels: Uint8Array,
  classes: readonly PixelClass[],
): Promise<readonly WrittenFile[]> {
  const colours = colouredMask(labels, classes);
  return [
    { path: out, holds: 'mask', bytes: await encodePng({ ...image, data: colours }) },
    {
      path: out.replace(/\.png$/i, '-overlay.png'),
      holds: 'overlay',
      bytes: await encodePng({ ...image, data: blended(image.data, colours, OPACITY) }),
    },
  ];
}

/** Red, green and blue bytes of each pixel; black where a label is no class. */
export function colouredMask(labels: Uint8Array, classes: readonly PixelClass[]): Uint8Array {
  const colours = new Uint8Array(3 * labels.length);
  for (let pixel = 0; pixel < labels.length; pixel++) {
    const colour = classes[labels[pixel] as number]?.colour;
    if (colour !== undefined) colours.set(colour, 3 * pixel);
  }
  return colours;
}

/** @param share of the second image */
function blended(under: Uint8Array, over: Uint8Array, share: number): Uint8Array {
  return under.map((value, place) => Math.round(value * (1 - share) + (over[place] as number) * share));
}
