import { expect } from 'vitest';
import { fromTypedArray, grad, noGrad, scope, type Tensor } from '../src/index.js';

/** Distinct values in the shape of `like`, so that no gradient cancels by symmetry. */
function distinctWeights(like: Tensor): Tensor {
  const values = Float64Array.from({ length: like.size }, (_, index) => Math.sin(index + 1) + 0.1);
  return fromTypedArray(values, like.shape);
}

/** A weighted sum of all elements, with distinct weights: a number whose gradient depends on every element. */
export function weightedSum(outputs: readonly Tensor[]): Tensor {
  return outputs
    .map((output) => output.mul(distinctWeights(output)).sum())
    .reduce((total, term) => total.add(term));
}

/** df/dx by central differences, (f(x + h) - f(x - h)) / 2h for each element. Changes `x` and restores it. */
export function centralDifferences(f: () => Tensor, x: Tensor, h = 1e-6): number[] {
  return noGrad(() => {
    const values = Float64Array.from(x.toNumbers());
    const at = (index: number, value: number) =>
      scope(() => {
        const moved = values.slice();
        moved[index] = value;
        x.copy_(fromTypedArray(moved, x.shape));
        return f().item();
      });
    const slopes = Array.from(
      values,
      (value, index) => (at(index, value + h) - at(index, value - h)) / (2 * h),
    );
    scope(() => x.copy_(fromTypedArray(values, x.shape)));
    return slopes;
  });
}

/** Checks autograd's gradients of `f` (one element, float64) with respect to `inputs` against central differences. */
export function expectGradients(
  f: () => Tensor,
  inputs: Readonly<Record<string, Tensor>>,
  tolerance = 1e-6,
): void {
  const gradients = grad(f(), Object.values(inputs));
  for (const [place, [name, input]] of Object.entries(inputs).entries()) {
    expect(input.dtype).toBe('float64');
    const found = (gradients[place] as Tensor).toNumbers();
    const slopes = centralDifferences(f, input);
    expect(found.length).toBe(slopes.length);
    for (const [index, slope] of slopes.entries())
      expect(
        Math.abs((found[index] as number) - slope) / Math.max(1, Math.abs(slope)),
        `d/d${name}[${index}] is ${found[index]}, finite differences give ${slope}`,
      ).toBeLessThan(tolerance);
  }
}
