import { describe, expect, test } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { macs } from '../../src/measures/macs.js';
import { params } from '../../src/measures/params.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { bytes, capitalised, count, duration, milliseconds, valueText } from '../../src/reports/figures.js';

describe('the value of a measure', () => {
  test('is shown as the measure says', () => {
    expect(valueText(accuracy, 0.98217)).toBe('98.22%');
    expect(valueText(accuracy, 1)).toBe('100.00%');
    expect(valueText(perplexity, 62.4)).toBe('62.40');
    expect(valueText(perplexity, 1.7587e69)).toBe('1.76e+69');
    expect(valueText(perplexity, 1234.567)).toBe('1234.57');
    expect(valueText(params, 1234567)).toBe('1,234,567');
    expect(valueText(macs, 0)).toBe('0');
  });

  test.each([
    [0.123456, '0.1235'],
    [1234.56, '1235'],
    [-0.000123456, '-0.0001235'],
    [12345678, '12350000'],
    [0.5, '0.5'],
    [3, '3'],
    [0, '0'],
    [1.23456e-9, '1.235e-9'],
  ])('has four significant digits by default: %d', (value, text) => {
    expect(valueText({}, value)).toBe(text);
    expect(valueText({ shown: undefined } as never, value)).toBe(text);
  });

  test('with only a name is shown as the built-in measure of that name, if any', () => {
    expect(valueText('accuracy', 0.5)).toBe('50.00%');
    expect(valueText('params', 58122)).toBe('58,122');
    expect(valueText('loss', 0.312345)).toBe('0.3123');
    expect(valueText('mse', 0.312345)).toBe('0.3123');
    // A measure that says nothing is not shown as one of the box that has its name.
    expect(valueText({ name: 'accuracy' } as never, 0.5)).toBe('0.5');
  });
});

describe('other numbers', () => {
  test('are written for people', () => {
    expect(capitalised('accuracy')).toBe('Accuracy');
    expect(capitalised('')).toBe('');
    expect(count(1234567n)).toBe('1,234,567');
    expect(milliseconds(1234.567)).toBe('1,234.57');
    expect([0, 59.4, 59.5, 185, 3599.6, 7385].map(duration)).toEqual([
      '0 s',
      '59 s',
      '1:00',
      '3:05',
      '1:00:00',
      '2:03:05',
    ]);
    expect([312, 4608, 1.2 * 2 ** 20, 16.5 * 2 ** 30].map(bytes)).toEqual([
      '312 B',
      '4.5 KiB',
      '1.2 MiB',
      '16.5 GiB',
    ]);
  });
});
