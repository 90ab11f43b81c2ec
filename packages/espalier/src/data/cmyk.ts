/**
 * CMYK as Pillow's `convert('RGB')` reads it: without a colour profile, each colour is what is left of white by its ink
 * and by black, (255 - black) (255 - ink) / 255.
 *
 * @param inks [pixels, 4] bytes of cyan, magenta, yellow and black; 255 is full ink
 * @returns [pixels, 3] bytes of red, green and blue
 */
export function cmykToRgb(inks: Uint8Array): Uint8Array {
  const colours = new Uint8Array((inks.length / 4) * 3);
  for (let from = 0, to = 0; from < inks.length; from += 4, to += 3) {
    const light = 255 - inks[from + 3]!;
    for (let c = 0; c < 3; c++) colours[to + c] = light - multiply(inks[from + c]!, light);
  }
  return colours;
}

/** a b / 255, rounded, in Pillow's whole numbers. */
function multiply(a: number, b: number): number {
  const product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}
