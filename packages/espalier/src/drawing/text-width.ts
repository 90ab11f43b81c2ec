export type Weight = 'regular' | 'bold';

// Advance widths of U+0020 to U+007E in thousandths of the font size. Each is the maximum over DejaVu Sans, Liberation
// Sans (Arial, Helvetica), Inter and Roboto. The reader's font is not known here, so a box has to be wide enough for
// any of them.
const ascii: Record<Weight, readonly number[]> = {
  // biome-ignore format: one table
  regular: [
    318, 401, 460, 838, 638, 951, 780, 275, 391, 391, 500, 838, 318, 461, 318, 413, 637, 637, 637, 637, 643, 637, 637, 637,
    637, 637, 337, 337, 838, 838, 838, 557, 1016, 685, 687, 728, 771, 667, 611, 778, 752, 295, 552, 667, 563, 890, 753, 788,
    667, 788, 723, 667, 643, 742, 685, 989, 686, 667, 686, 391, 411, 391, 838, 557, 500, 613, 635, 559, 635, 616, 361, 635,
    634, 278, 278, 580, 278, 975, 634, 612, 635, 635, 412, 523, 393, 634, 592, 818, 592, 592, 542, 637, 337, 637, 838,
  ],
  // biome-ignore format: one table
  bold: [
    349, 457, 521, 838, 696, 1002, 873, 307, 458, 458, 565, 838, 380, 469, 380, 390, 696, 696, 696, 696, 696, 696, 696, 696,
    696, 696, 400, 400, 838, 838, 838, 611, 1031, 774, 763, 753, 831, 684, 684, 821, 837, 373, 570, 775, 638, 996, 837, 851,
    733, 851, 771, 721, 683, 813, 774, 1104, 771, 725, 726, 458, 423, 458, 838, 557, 500, 675, 716, 593, 716, 679, 436, 716,
    712, 343, 343, 666, 343, 1042, 712, 688, 716, 716, 494, 596, 479, 712, 652, 924, 646, 652, 583, 712, 374, 712, 838,
  ],
};

const signs: ReadonlyMap<string, number> = new Map([...'×±≤≥−'].map((sign) => [sign, 838]));

/**
 * The advance width in thousandths of an em. Outside ASCII, combining marks take no width, a letter or sign of another
 * script rarely exceeds 1.2 em, and an emoji rarely exceeds 1.4 em.
 */
function advance(character: string, weight: Weight): number {
  const [letter = ''] = character.normalize('NFD');
  const known = ascii[weight][letter.codePointAt(0)! - 0x20] ?? signs.get(letter);
  if (known !== undefined) return known;
  if (/\p{M}/u.test(character)) return 0;
  return character.length > 1 ? 1400 : 1200;
}

/** The width of a text in px, at a font size in px, in the widest of the common sans-serif fonts. */
export function textWidth(text: string, size: number, weight: Weight = 'regular'): number {
  let thousandths = 0;
  for (const character of text) thousandths += advance(character, weight);
  return (thousandths * size) / 1000;
}

/** Breaks a text at its spaces into lines of at most `width` px. Wider words are broken within the word. */
export function wrapText(text: string, width: number, size: number, weight: Weight = 'regular'): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer, size, weight) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = '';
    for (const character of word) {
      if (line !== '' && textWidth(line + character, size, weight) > width) {
        lines.push(line);
        line = '';
      }
      line += character;
    }
  }
  if (line !== '') lines.push(line);
  return lines;
}
