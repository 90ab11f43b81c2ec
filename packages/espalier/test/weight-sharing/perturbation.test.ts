import { nn, noGrad, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random/random.js';
import type { Relaxation } from '../../src/supernets/alphas.js';
import { darts } from '../../src/weight-sharing/darts.js';
import { selectByPerturbation } from '../../src/weight-sharing/perturbation.js';
import { begin, conforms, settings } from './conformance.js';

describe('DARTS with the selection by perturbation', () =>
  conforms(darts, { selection: 'perturbation', tuneEpochs: 0, epochs: 2 }));

/** A supernet whose measure is the sum of the weights times what each operation of each edge is good for. */
function scripted(gains: readonly (readonly number[])[]) {
  const alphas = new nn.Parameter(noGrad(() => tensor(gains.map((row) => row.map(() => 0)))));
  let relaxation: Relaxation = (values) => values.softmax(-1);
  const seen: number[][][] = [];
  const weights = () => {
    const numbers = relaxation(alphas).toNumbers();
    return gains.map((row, i) => numbers.slice(i * row.length, (i + 1) * row.length));
  };
  let tuned = 0;
  const choice = selectByPerturbation({
    alphas: [alphas],
    relax: (other) => {
      relaxation = other;
    },
    validate: () => {
      const now = weights();
      seen.push(now);
      return now.reduce(
        (sum, row, i) => sum + row.reduce((own, weight, k) => own + weight * gains[i]![k]!, 0),
        0,
      );
    },
    tune: () => {
      tuned++;
      return [];
    },
    random: Random.of(1, 'scripted'),
  });
  const steps = [...choice];
  return { steps, seen, tuned, rows: alphas.toNumbers(), columns: gains[0]!.length };
}

describe('the selection by perturbation', () => {
  // 'none' would be the best of the first edge; it is not looked at.
  const gains = [
    [9, 1, 2, 3],
    [0, 5, 1, 1],
    [0, 0, 1, 0.5],
  ];

  it('keeps the operation without which most is lost, and says what edges are worth', () => {
    const { rows } = scripted(gains);
    const row = (edge: number) => rows.slice(4 * edge, 4 * edge + 4);
    // The edges alone give 3, 5 and 1: their ranks from the least worth are 1, 2, 0.
    expect(row(0)).toEqual([0, -100, -100, expect.closeTo(1 / 3, 6)]);
    expect(row(1)).toEqual([0, expect.closeTo(2 / 3, 6), -100, -100]);
    expect(row(2)).toEqual([0, -100, 0, -100]);
  });

  it('looks at each operation of each edge but none, then at each edge, and tunes after every edge', () => {
    const { seen, tuned, steps } = scripted(gains);
    expect(seen).toHaveLength(3 * 3 + 3);
    expect(tuned).toBe(3);
    expect(steps.at(-1)).toMatchObject({ done: 12, of: 12 });
    // At first one weight of a quarter is missing; at last two edges are one operation, and one is nothing.
    expect(seen[0]!.flat().filter((weight) => weight === 0)).toHaveLength(1);
    expect(seen[0]!.flat().reduce((sum, weight) => sum + weight)).toBeCloseTo(2.75, 6);
    expect(
      seen
        .at(-1)!
        .flat()
        .filter((weight) => weight !== 0),
    ).toEqual([1, 1]);
  });

  it('does not go with early stopping', () => {
    expect(() => begin(darts, settings[0]!, { selection: 'perturbation', earlyStop: true })).toThrow(
      'not both',
    );
  });
});
