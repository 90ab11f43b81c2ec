import { describe, expect, it } from 'vitest';
import { partOf, placesOf } from '../../src/data/share.js';
import type { Tokens } from '../../src/data/text.js';
import { segments } from '../../src/data/text-batches.js';
import { Random } from '../../src/random/random.js';

const shares = [0, 1, 2].map((rank) => ({ rank, of: 3 }));

describe('the parts of several processes', () => {
  it('are all inputs of a batch, in order, each once', () => {
    expect(shares.map((share) => partOf(8, share))).toEqual([
      [0, 2],
      [2, 5],
      [5, 8],
    ]);
    expect(partOf(8, undefined)).toEqual([0, 8]);
  });

  it('lie at their places in the order of the pass, also in the last batch', () => {
    const parts = shares.map((share) => placesOf(7, 4, share));
    expect(parts.map(({ places }) => [...places])).toEqual([
      [0, 4],
      [1, 5],
      [2, 3, 6],
    ]);
    expect(parts.map(({ sizes }) => sizes)).toEqual([
      [1, 1],
      [1, 1],
      [2, 1],
    ]);
  });

  it('are columns of a text, cut at the same places', () => {
    const tokens = Int32Array.from({ length: 90 }, (_, place) => place) as unknown as Tokens;
    const cut = (share?: { rank: number; of: number }) => [
      ...segments(tokens, { columns: 4, bptt: 6, random: Random.of(1, 'cut'), share }),
    ];
    const rowsOf = ({ tokens: read, length, columns }: ReturnType<typeof cut>[number]) =>
      Array.from({ length }, (_, time) => [...read.subarray(time * columns, (time + 1) * columns)]);
    const parts = shares.map((share) => cut(share));
    for (const [place, whole] of cut().entries()) {
      const rows = parts.map((part) => rowsOf(part[place] as (typeof part)[number]));
      expect(rowsOf(whole)).toEqual(
        Array.from({ length: whole.length }, (_, time) => rows.flatMap((part) => part[time] ?? [])),
      );
    }
  });
});
