import { grad, manualSeed, nn, noGrad, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { gdas } from '../../src/weight-sharing/gdas.js';
import { gumbelChoice, mostProbable } from '../../src/weight-sharing/gumbel.js';
import { conforms } from './conformance.js';

describe('GDAS', () => conforms(gdas));

const probabilities = [0.5, 0.3, 0.2];
const alphas = new nn.Parameter(noGrad(() => tensor([probabilities.map(Math.log), [0, 0, 0]], 'float64')));

describe('the Gumbel choice', () => {
  it('draws one operation for each edge, with the probabilities of the softmax', () => {
    manualSeed(1);
    const counts = [0, 0, 0];
    const draws = 4000;
    for (let i = 0; i < draws; i++) {
      const rows = noGrad(() => gumbelChoice(alphas, 0.5).toNumbers());
      const first = rows.slice(0, 3);
      expect(rows.filter((weight) => weight !== 0)).toEqual([1, 1]);
      counts[first.indexOf(1)]!++;
    }
    // Within four standard deviations.
    for (const [k, p] of probabilities.entries())
      expect(Math.abs(counts[k]! - draws * p)).toBeLessThan(4 * Math.sqrt(draws * p * (1 - p)));
  });

  it('of the most probable operation is deterministic, with the gradient of the softmax', () => {
    const weights = mostProbable(alphas);
    expect(weights.narrow(0, 0, 1).toNumbers()).toEqual([1, 0, 0]);
    const [gradient] = grad(
      weights
        .mul(
          tensor(
            [
              [1, 2, 3],
              [0, 0, 0],
            ],
            'float64',
          ),
        )
        .sum(),
      [alphas],
    );
    // p_k (c_k - sum_j p_j c_j) with c = 1, 2, 3.
    const mean = 0.5 + 0.6 + 0.6;
    for (const [k, value] of gradient!.narrow(0, 0, 1).toNumbers().entries())
      expect(value).toBeCloseTo(probabilities[k]! * (k + 1 - mean), 10);
  });

  it('has a sharper gradient at a lower temperature', () => {
    const size = (tau: number) => {
      manualSeed(3);
      const [gradient] = grad(
        gumbelChoice(alphas, tau)
          .mul(tensor([1, 2, 3], 'float64'))
          .sum(),
        [alphas],
      );
      return Math.hypot(...gradient!.toNumbers());
    };
    expect(size(1)).toBeGreaterThan(5 * size(10));
  });
});
