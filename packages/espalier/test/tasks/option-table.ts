import { expect, it } from 'vitest';
import type { z } from 'zod';

/** An option: what it is by default, values at the edges of what is allowed, and values just outside. */
type Row = readonly [value: unknown, allowed: readonly unknown[], refused: readonly unknown[]];

/** Rows of kinds of options that are frequent. */
export const count = (value: number, least = 1): Row => [value, [least, 1e6], [least - 1, least + 0.5]];
export const above0 = (value: number): Row => [value, [1e-9, 1e6], [0, -1]];
export const from0 = (value: number): Row => [value, [0, 1e6], [-1e-9]];
export const from0Below1 = (value: number): Row => [value, [0, 0.999], [-1e-9, 1]];
export const flag = (value: boolean): Row => [value, [true, false], [0, 'yes']];
export const oneOf = (value: unknown, ...others: readonly unknown[]): Row => [
  value,
  [value, ...others],
  ['', 77],
];
/** Of any text. */
export const text = (value: string): Row => [value, ['cuda:1'], [1]];

/** Tests that a schema has exactly these options, with these defaults and limits. */
export function hasOptions(schema: z.ZodType<object>, table: Readonly<Record<string, Row>>): void {
  it('have their defaults', () => {
    const values = Object.entries(table).flatMap(([name, [value]]) =>
      value === undefined ? [] : [[name, value]],
    );
    expect(schema.parse({})).toEqual(Object.fromEntries(values));
  });

  it.each(Object.entries(table))('have limits: %s', (name, [, allowed, refused]) => {
    const takes = (value: unknown) => schema.safeParse({ [name]: value }).success;
    expect(allowed.filter((value) => !takes(value))).toEqual([]);
    expect(refused.filter(takes)).toEqual([]);
  });
}
