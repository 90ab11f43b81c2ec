import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textWidth, wrapText } from '../../src/drawing/text-width.js';
import { anyText } from './network-graphs.js';

describe('the width of a text', () => {
  test('is the sum of its character widths at the font size', () => {
    // c 559, o 612, n 634, v 592 in regular; 593, 688, 712, 652 in bold.
    expect(textWidth('conv', 10)).toBeCloseTo(23.97, 9);
    expect(textWidth('conv', 20, 'bold')).toBeCloseTo(52.9, 9);
    expect(textWidth('', 10)).toBe(0);
    // The first and the last character of ASCII, and the multiplication sign.
    expect(textWidth(' ~', 1000)).toBe(318 + 838);
    expect(textWidth('3×5', 1000)).toBe(637 + 838 + 637);
  });

  test('ignores combining marks and leaves room for other scripts and emoji', () => {
    expect(textWidth('é', 10)).toBe(textWidth('e', 10));
    expect(textWidth('層', 10)).toBe(12);
    expect(textWidth('한', 10)).toBe(12);
    expect(textWidth('🌳', 10)).toBe(14);
  });
});

describe('a wrapped text', () => {
  test('breaks at spaces, and within words that are too long', () => {
    // An 'm' is 0.975 em and a space 0.318 em. At size 10, 4 + a space + 1 take 52 px, and 10 take 97.5 px.
    expect(wrapText('mmmm m mmmm', 52, 10)).toEqual(['mmmm m', 'mmmm']);
    expect(wrapText('m mmmmmmmmmm', 50, 10)).toEqual(['m', 'mmmmm', 'mmmmm']);
    expect(wrapText(' \n ', 50, 10)).toEqual([]);
  });

  test('keeps every character except spaces, in lines that fit', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 30, max: 200 }), (text, width) => {
        const lines = wrapText(text, width, 10);
        expect(lines.join('').replace(/\s+/g, '')).toBe(text.replace(/\s+/g, ''));
        for (const line of lines) expect(textWidth(line, 10)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
