import { nn, noGrad, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { dominantEigenvalue } from '../../src/weight-sharing/dominant-eigenvalue.js';

describe('the dominant eigenvalue', () => {
  const parameter = (values: number[]) => new nn.Parameter(noGrad(() => tensor(values, 'float64')));

  it('of a quadratic form is that of its matrix, over all parameters together', () => {
    const [x, y] = [parameter([1, 2]), parameter([3])];
    // x1^2 + x2^2 + y^2 / 2 + 2 x1 y: the Hessian [[2, 0, 2], [0, 2, 0], [2, 0, 1]] has (3 +- sqrt(17)) / 2 and 2.
    const loss = () =>
      x
        .square()
        .sum()
        .add(y.square().sum().div(2))
        .add(x.narrow(0, 0, 1).mul(y).sum().mul(2));
    expect(dominantEigenvalue(loss, [x, y], 1)).toBeCloseTo((3 + Math.sqrt(17)) / 2, 2);
    expect([x.toNumbers(), y.toNumbers()]).toEqual([[1, 2], [3]]);
  });

  it('is negative where the loss bends down the most', () => {
    const x = parameter([0.5, -1]);
    const loss = () =>
      x
        .square()
        .mul(tensor([-3, 1], 'float64'))
        .sum();
    expect(dominantEigenvalue(loss, [x], 2)).toBeCloseTo(-6, 2);
  });

  it('of a loss without curvature is zero', () => {
    const x = parameter([0.5, -1]);
    expect(dominantEigenvalue(() => x.sum().mul(2), [x], 3)).toBeCloseTo(0, 10);
  });
});
