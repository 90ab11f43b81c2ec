import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type Dtype, type Tensor, tensor } from '../src/index.js';

/** A tensor as `fixtures/make-fixtures.py` writes it, its elements in row-major order. */
export interface TensorJson {
  dtype: Dtype;
  shape: number[];
  data: (number | boolean | 'inf' | '-inf' | 'nan')[];
}

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')) as T;
}

export function isTensorJson(value: unknown): value is TensorJson {
  return (
    typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value && 'data' in value
  );
}

const words = new Map<unknown, number>([
  ['inf', Infinity],
  ['-inf', -Infinity],
  ['nan', NaN],
]);

/** Fixtures hold nine digits of a float32, enough to identify it after rounding. */
const numbersOf = ({ data, dtype }: TensorJson) =>
  data
    .map((value) => words.get(value) ?? Number(value))
    .map((value) => (dtype === 'float32' ? Math.fround(value) : value));

export function decode(json: TensorJson): Tensor {
  return tensor(numbersOf(json), json.dtype).reshape(json.shape);
}

export function decodeState(json: Readonly<Record<string, TensorJson>>): Map<string, Tensor> {
  return new Map(Object.entries(json).map(([name, value]) => [name, decode(value)]));
}

/** Expects equal dtype and shape, and elements within `tolerance` (relative above 1); 0 demands equal bits. */
export function expectTensor(actual: Tensor, expected: TensorJson, tolerance = 0): void {
  expect(actual.dtype).toBe(expected.dtype);
  expect(actual.shape).toEqual(expected.shape);
  const numbers = numbersOf(expected);
  if (tolerance === 0) {
    expect(actual.toNumbers()).toEqual(numbers);
    return;
  }
  for (const [index, value] of actual.toNumbers().entries()) {
    const wanted = numbers[index] as number;
    if (Number.isFinite(wanted))
      expect(
        Math.abs(value - wanted) / Math.max(1, Math.abs(wanted)),
        `element ${index} is ${value}, not ${wanted}`,
      ).toBeLessThan(tolerance);
    else expect(value).toBe(wanted);
  }
}
