import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segmentCount, segments } from '../../src/data/text-batches.js';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';

const numbered = (count: number) => Int32Array.from({ length: count }, (_, i) => i);

describe('the segments of a text', () => {
  it('go down its columns, each with the tokens that follow', () => {
    // Two columns of five, 0..4 and 5..9; the eleventh token is left over.
    const read = [...segments(numbered(11), { columns: 2, bptt: 3 })];
    expect(
      read.map(({ tokens, next, length }) => [length, [...tokens].map(Number), [...next].map(Number)]),
    ).toEqual([
      [3, [0, 5, 1, 6, 2, 7], [1, 6, 2, 7, 3, 8]],
      [1, [3, 8], [4, 9]],
    ]);
    expect(segmentCount(numbered(11), { columns: 2, bptt: 3 })).toBe(2);
  });

  it('predict every token of every column but the first, once, whatever their lengths', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 40 }),
        fc.option(fc.integer({ min: 0, max: 1000 })),
        (count, columns, bptt, seed) => {
          fc.pre(Math.floor(count / columns) >= 2);
          const random = seed === null ? {} : { random: Random.of(seed, 'segments') };
          const length = Math.floor(count / columns);
          const predicted = Array.from({ length: columns }, (): number[] => []);
          for (const read of segments(numbered(count), { columns, bptt, ...random }))
            for (let i = 0; i < read.next.length; i++) {
              predicted[i % columns]!.push(Number(read.next[i]));
              expect(read.next[i]).toBe(read.tokens[i]! + 1n);
            }
          expect(predicted).toEqual(
            predicted.map((_, text) => Array.from({ length: length - 1 }, (_, i) => text * length + i + 1)),
          );
        },
      ),
    );
  });

  it('have lengths that are drawn around the usual one, and now and then around half of it', () => {
    const random = Random.of(1, 'lengths');
    const lengths = [...segments(numbered(400_000), { columns: 1, bptt: 70, random })]
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
    const pass = (columns: number) => [...segments(numbered(9), { columns, bptt: 3 })];
    expect(() => pass(5)).toThrow(InputError);
    expect(() => pass(5)).toThrow('batch size 5: a text of 9 tokens has not two for each of 5 columns');
    expect(() => pass(0)).toThrow('batch size 0: must be a whole number, 1 or more');
  });
});
