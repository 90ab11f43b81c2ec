/**
 * Brightness by ITU-R 601, in Pillow's whole numbers.
 *
 * @param pixels [pixels, 3] bytes of red, green and blue
 * @param at index of a pixel's red
 */
export function greyAt(pixels: Uint8Array, at: number): number {
  return (pixels[at]! * 19595 + pixels[at + 1]! * 38470 + pixels[at + 2]! * 7471 + 0x8000) >> 16;
}

/** The brightness of each pixel, as by Pillow's `convert('L')`: [pixels] bytes. */
export function greyOf(pixels: Uint8Array): Uint8Array {
  const grey = new Uint8Array(pixels.length / 3);
  for (let i = 0; i < grey.length; i++) grey[i] = greyAt(pixels, 3 * i);
  return grey;
}
