import type { PixelClass } from './masked-images.js';

/**
 * The colour of a class in the palette of PASCAL VOC: the bits of its number, spread over red, green and blue from the
 * highest bit down (VOCdevkit, VOCcode/VOClabelcolormap.m). All 256 colours differ.
 */
export function vocColour(label: number): PixelClass['colour'] {
  const colour: [number, number, number] = [0, 0, 0];
  for (let rest = label, bit = 7; rest > 0; rest >>= 3, bit--)
    for (const channel of [0, 1, 2] as const) colour[channel] |= ((rest >> channel) & 1) << bit;
  return colour;
}
