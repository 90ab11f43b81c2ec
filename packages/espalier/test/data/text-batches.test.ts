import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stretchCount, stretches } from '../../src/data/text-batches.js';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';

const numbered = (count: number) => Int32Array.from({ length: count }, (_, i) => i);

describe('the stretches of a text', () => {
  it('go down its columns, each with the tokens that follow', () => {
    // Two columns of five, 0..4 and 5..9; the eleventh token is left over.
    const read = [...stretches(numbered(11), { texts: 2, stretch: 3 })];
    expect(
      read.map(({ tokens, next, length }) => [length, [...tokens].map(Number), [...next].map(Number)]),
    ).toEqual([
      [3, [0, 5, 1, 6, 2, 7], [1, 6, 2, 7, 3, 8]],
      [1, [3, 8], [4, 9]],
    ]);
    expect(stretchCount(numbered(11), { texts: 2, stretch: 3 })).toBe(2);
  });

  it('predict every token of every column but the first, once, whatever their lengths', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 40 }),
        fc.option(fc.integer({ min: 0, max: 1000 })),
        (count, texts, stretch, seed) => {
          fc.pre(Math.floor(count / texts) >= 2);
          const random = seed === null ? {} : { random: Random.of(seed, 'stretches') };
          const length = Math.floor(count / texts);
          const columns = Array.from({ length: texts }, (): number[] => []);
          for (const read of stretches(numbered(count), { texts, stretch, ...random }))
            for (let i = 0; i < read.next.length; i++) {
              columns[i % texts]!.push(Number(read.next[i]));
              expect(read.next[i]).toBe(read.tokens[i]! + 1n);
            }
          expect(columns).toEqual(
            columns.map((_, text) => Array.from({ length: length - 1 }, (_, i) => text * length + i + 1)),
          );
        },
      ),
    );
  });

  it('have lengths that are drawn around the usual one, and now and then around half of it', () => {
    const random = Random.of(1, 'lengths');
    const lengths = [...stretches(numbered(400_000), { texts: 1, stretch: 70, random })]
      .map(({ length }) => length)
      .slice(0, -1);
    const about = (middle: number) =>
      lengths.filter((length) => Math.abs(length - middle) <= 20).length / lengths.length;
    expect(about(70)).toBeGreaterThan(0.93);
    expect(about(35)).toBeGreaterThan(0.03);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(90);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(5);
  });

  it('are refused where a column has not two tokens', () => {
    const pass = (texts: number) => [...stretches(numbered(9), { texts, stretch: 3 })];
    expect(() => pass(5)).toThrow(InputError);
    expect(() => pass(5)).toThrow('batch size 5: a text of 9 tokens has not two for each of 5 columns');
    expect(() => pass(0)).toThrow('batch size 0: must be a whole number, 1 or more');
  });
});
