import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostProbablePath } from '../../../src/networks/auto-deeplab/most-probable-path.js';

const probability = fc.double({ min: 0.001, max: 1, noNaN: true });
const transitions = (layers: number) =>
  fc.array(fc.array(fc.array(probability, { minLength: 4, maxLength: 4 }), { minLength: 4, maxLength: 4 }), {
    minLength: layers,
    maxLength: layers,
  });

/** The products of transition probabilities of all paths, by enumeration. */
function allPaths(steps: readonly number[][][], start: number): { path: number[]; product: number }[] {
  let paths = [{ path: [start], product: 1 }];
  for (const step of steps) {
    paths = paths.flatMap(({ path, product }) => {
      const from = path.at(-1)!;
      return [from - 1, from, from + 1]
        .filter((to) => to >= 0 && to < 4)
        .map((to) => ({ path: [...path, to], product: product * step[from]![to]! }));
    });
  }
  return paths;
}

describe('the most probable path', () => {
  it('agrees with brute force over all paths', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 8 }).chain(transitions),
        fc.integer({ min: 0, max: 3 }),
        (steps, start) => {
          const all = allPaths(steps, start);
          const found = all.find(({ path }) => path.join() === mostProbablePath(steps, start).join());
          const greatest = Math.max(...all.map(({ product }) => product));
          // Treat products that differ only by rounding as equal.
          expect(found!.product).toBeGreaterThanOrEqual(greatest * (1 - 1e-12));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is not the greedy path', () => {
    const first = [
      [0.6, 0.4],
      [0.5, 0.5],
    ];
    const second = [
      [0.5, 0.5],
      [0.1, 0.9],
    ];
    // 0-0-x has probability 0.3, and 0-1-1 has 0.36.
    expect(mostProbablePath([first, second], 0)).toEqual([0, 1, 1]);
  });

  it('moves by at most one level per step, even if a larger move has a higher probability', () => {
    const jump = [
      [0.01, 0.01, 1, 1],
      [0.01, 0.01, 0.02, 1],
      [1, 1, 1, 0],
      [1, 1, 1, 0],
    ];
    expect(mostProbablePath([jump, jump], 0)).toEqual([0, 1, 2]);
  });

  it('takes the lower levels among equal paths, and a path of probability zero if there is no other', () => {
    const even = [
      [0.5, 0.5],
      [0.5, 0.5],
    ];
    expect(mostProbablePath([even, even], 1)).toEqual([1, 0, 0]);
    const none = even.map((row) => row.map(() => 0));
    expect(mostProbablePath([none, none], 1)).toEqual([1, 0, 0]);
    expect(mostProbablePath([], 2)).toEqual([2]);
  });

  it('does not underflow over a thousand layers', () => {
    const small = [
      [1e-10, 2e-10],
      [2e-10, 1e-10],
    ];
    const path = mostProbablePath(
      Array.from({ length: 1000 }, () => small),
      0,
    );
    expect(path).toEqual(Array.from({ length: 1001 }, (_, layer) => layer % 2));
  });
});
