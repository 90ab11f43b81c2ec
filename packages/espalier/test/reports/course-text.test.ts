import { describe, expect, test } from 'vitest';
import { courseText } from '../../src/reports/course-text.js';

const text = (value: number) => value.toFixed(1);

describe('a course on the terminal', () => {
  test('has a bar for each value, from the lowest to the highest, and both ends', () => {
    // 8 bars: a value has the bar floor(8 x its share of the range), the highest the last one.
    expect(courseText('loss', [8, 7, 6, 5, 4, 3, 2, 1, 0], text)).toEqual(['loss 8.0 ██▇▆▅▄▃▂▁ 0.0']);
  });

  test('of equal values is low, of one value has no bars, of none no line', () => {
    expect(courseText('loss', [2, 2, 2], text)).toEqual(['loss 2.0 ▁▁▁ 2.0']);
    expect(courseText('loss', [2], text)).toEqual(['loss 2.0']);
    expect(courseText('loss', [], text)).toEqual([]);
  });

  test('has 40 bars at most, each the mean of neighbours', () => {
    // 80 values: pairs 0 and 2, whose mean is 1, and in the second half 4.
    const values = Array.from({ length: 80 }, (_, index) => (index < 40 ? (index % 2) * 2 : 4));
    expect(courseText('loss', values, text)).toEqual([`loss 0.0 ${'▁'.repeat(20)}${'█'.repeat(20)} 4.0`]);
  });
});
