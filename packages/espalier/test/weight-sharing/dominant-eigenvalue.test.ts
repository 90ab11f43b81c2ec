import { manualSeed, nn, noGrad, rand, tensor } from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dominantEigenvalue } from '../../src/weight-sharing/dominant-eigenvalue.js';
import { largestEigenvalue } from '../../src/weight-sharing/tridiagonal.js';

const parameter = (values: number[]) => new nn.Parameter(noGrad(() => tensor(values, 'float64')));

describe('the dominant eigenvalue', () => {
  it('of a quadratic form is that of its matrix, over all parameters together', () => {
    const [x, y] = [parameter([1, 2]), parameter([3])];
    // x1^2 + x2^2 + y^2 / 2 + 2 x1 y: the Hessian [[2, 0, 2], [0, 2, 0], [2, 0, 1]] has (3 +- sqrt(17)) / 2 and 2.
    const loss = () =>
      x
        .square()
        .sum()
        .add(y.square().sum().div(2))
        .add(x.narrow(0, 0, 1).mul(y).sum().mul(2));
    expect(dominantEigenvalue(loss, [x, y], 1)).toBeCloseTo((3 + Math.sqrt(17)) / 2, 8);
    expect([x.toNumbers(), y.toNumbers()]).toEqual([[1, 2], [3]]);
  });

  it('is the largest one, though another has the larger magnitude', () => {
    const x = parameter([0.5, -1]);
    const loss = () =>
      x
        .square()
        .mul(tensor([-3, 1], 'float64'))
        .sum();
    expect(dominantEigenvalue(loss, [x], 2)).toBeCloseTo(2, 8);
    expect(dominantEigenvalue(() => loss().sub(x.square().sum().mul(2)), [x], 2)).toBeCloseTo(-2, 8);
  });

  it('is found among forty, within a hundredth of the width of the spectrum', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 40, maxLength: 40 }),
        fc.integer({ min: 0, max: 1000 }),
        (spectrum, seed) => {
          const x = parameter(spectrum.map(() => 0.1));
          const loss = () => x.square().mul(tensor(spectrum, 'float64')).sum().div(2);
          const largest = Math.max(...spectrum);
          expect(Math.abs(dominantEigenvalue(loss, [x], seed) - largest)).toBeLessThan(0.02);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('of a loss without curvature is zero', () => {
    const x = parameter([0.5, -1]);
    expect(dominantEigenvalue(() => x.sum().mul(2), [x], 3)).toBeCloseTo(0, 10);
  });

  it('is zero along parameters that the loss does not depend on', () => {
    const [x, unused] = [parameter([1]), parameter([5, 6])];
    expect(dominantEigenvalue(() => x.square().sum().mul(-1), [x, unused], 4)).toBeCloseTo(0, 8);
  });

  it('is taken with the same dropout masks on both sides', () => {
    const x = parameter([1, -2, 0.5]);
    const mask = () => noGrad(() => rand([3], { dtype: 'float64' }));
    manualSeed(5);
    const first = mask().toNumbers();
    manualSeed(5);
    const found = dominantEigenvalue(() => x.square().mul(mask()).sum(), [x], 1);
    expect(found).toBeCloseTo(2 * Math.max(...first), 8);
  });
});

describe('the largest eigenvalue of a tridiagonal matrix', () => {
  it('is that of the matrix of second differences', () => {
    // 2 on the diagonal and -1 beside it: 2 - 2 cos(k pi / (n + 1)).
    for (const n of [1, 2, 3, 10]) {
      const matrix = {
        diagonal: new Array<number>(n).fill(2),
        offDiagonal: new Array<number>(n - 1).fill(-1),
      };
      expect(largestEigenvalue(matrix)).toBeCloseTo(2 - 2 * Math.cos((n * Math.PI) / (n + 1)), 12);
    }
  });

  it('is the largest entry of a diagonal matrix, whatever the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 8 }),
        (diagonal) => {
          const matrix = { diagonal, offDiagonal: diagonal.slice(1).map(() => 0) };
          expect(largestEigenvalue(matrix)).toBeCloseTo(Math.max(...diagonal), 10);
        },
      ),
    );
  });
});
