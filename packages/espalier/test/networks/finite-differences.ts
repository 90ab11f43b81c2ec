import { fromTypedArray, grad, noGrad, scope, type Tensor } from '@espalier/torch';
import { expect } from 'vitest';

/**
 * Checks the gradient that autograd computes of `f` (one element, float64) with respect to `inputs` against central
 * differences. At most `most` evenly spaced elements of each input are checked.
 */
export function expectGradients(f: () => Tensor, inputs: ReadonlyMap<string, Tensor>, most = 40): void {
  const gradients = scope(() => grad(f(), [...inputs.values()]).map((gradient) => gradient.toNumbers()));
  for (const [place, [name, input]] of [...inputs].entries()) {
    expect(input.dtype).toBe('float64');
    const values = Float64Array.from(input.toNumbers());
    const at = (index: number, value: number) =>
      scope(() =>
        noGrad(() => {
          input.copy_(fromTypedArray(values.with(index, value), input.shape));
          return f().item();
        }),
      );
    const h = 1e-6;
    const stride = Math.ceil(values.length / most);
    for (let index = 0; index < values.length; index += stride) {
      const value = values[index]!;
      const slope = (at(index, value + h) - at(index, value - h)) / (2 * h);
      at(index, value);
      const found = gradients[place]![index]!;
      expect(
        Math.abs(found - slope) / Math.max(1, Math.abs(slope)),
        `d/d${name}[${index}] is ${found}, finite differences give ${slope}`,
      ).toBeLessThan(1e-7);
    }
  }
}
