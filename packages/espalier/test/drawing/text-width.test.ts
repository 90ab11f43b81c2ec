import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textWidth, wrapText } from '../../src/drawing/text-width.js';
import { anyText } from './network-graphs.js';

describe('the width of a text', () => {
  test('is the sum of its characters at the size of the font', () => {
    // c 559, o 612, n 634, v 592 in regular; 593, 688, 712, 652 in bold.
    expect(textWidth('conv', 10)).toBeCloseTo(23.97, 9);
    expect(textWidth('conv', 20, 'bold')).toBeCloseTo(52.9, 9);
    expect(textWidth('', 10)).toBe(0);
    // The first and the last character of ASCII, and the multiplication sign.
    expect(textWidth(' ~', 1000)).toBe(318 + 838);
    expect(textWidth('3×5', 1000)).toBe(637 + 838 + 637);
  });

  test('does not count the mark on a letter, and gives other scripts and emoji room', () => {
    expect(textWidth('é', 10)).toBe(textWidth('e', 10));
    expect(textWidth('層', 10)).toBe(12);
    expect(textWidth('한', 10)).toBe(12);
    expect(textWidth('🌳', 10)).toBe(14);
  });
});

describe('a wrapped text', () => {
  test('breaks at spaces and inside of words that are too long', () => {
    // An 'm' is 0.975 em and a space 0.318 em: 4 and a space and 1 more are 52 px at size 10, 10 alone are 97.5.
    expect(wrapText('mmmm m mmmm', 52, 10)).toEqual(['mmmm m', 'mmmm']);
    expect(wrapText('m mmmmmmmmmm', 50, 10)).toEqual(['m', 'mmmmm', 'mmmmm']);
    expect(wrapText(' \n ', 50, 10)).toEqual([]);
  });

  test('keeps every character but spaces, in lines that fit', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 30, max: 200 }), (text, width) => {
        const lines = wrapText(text, width, 10);
        expect(lines.join('').replace(/\s+/g, '')).toBe(text.replace(/\s+/g, ''));
        for (const line of lines) expect(textWidth(line, 10)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
