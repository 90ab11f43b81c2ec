import { describe, expect, it } from 'vitest';
import {
  backward,
  conv2d,
  enableGrad,
  fromTypedArray,
  grad,
  noGrad,
  ones,
  scope,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js';
import { centralDifferences } from './finite-differences.js';

function leaf(values: number | number[]): Tensor {
  const made = tensor(values, 'float64');
  made.requiresGrad = true;
  return made;
}

describe('backward', () => {
  it('adds to the gradients of leaves, and only of leaves', () => {
    const x = leaf([1, 2, 3]);
    const y = x.mul(x);
    backward(y.sum());
    expect(x.grad?.toNumbers()).toEqual([2, 4, 6]);
    backward(x.mul(x).sum());
    expect(x.grad?.toNumbers()).toEqual([4, 8, 12]);
    expect(y.grad).toBeUndefined();
    expect([x.isLeaf, y.isLeaf, x.requiresGrad, y.requiresGrad]).toEqual([true, false, true, true]);
  });

  it('weights outputs with many elements by the given gradients', () => {
    const x = leaf([1, 2]);
    backward([x.mul(2), x.mul(x)], {
      gradients: [tensor([1, 10], 'float64'), tensor([100, 1000], 'float64')],
    });
    expect(x.grad?.toNumbers()).toEqual([2 + 200, 20 + 4000]);
  });

  it('runs through a graph twice only if the graph is retained', () => {
    const x = leaf([3]);
    const y = x.mul(x).sum();
    backward(y, { retainGraph: true });
    backward(y);
    expect(x.grad?.toNumbers()).toEqual([12]);
    expect(() => backward(y)).toThrow(/^backward: Trying to backward through the graph a second time/);
  });

  it('records itself with createGraph', () => {
    const x = leaf([2]);
    backward(x.pow(3).sum(), { createGraph: true });
    const slope = x.grad as Tensor;
    expect(slope.requiresGrad).toBe(true);
    expect(grad(slope.sum(), [x])[0]?.toNumbers()).toEqual([12]);
    x.grad = undefined;
  });

  it('names itself and the shapes in its errors', () => {
    expect(() => backward(ones([2, 3]))).toThrow(/^backward: .*\(called with outputs=\[Float\[2, 3\]\]\)$/s);
    expect(() => backward(leaf([1, 2]).mul(2))).toThrow(
      'grad can be implicitly created only for scalar outputs',
    );
    expect(() => grad(leaf(1).mul(2), [ones([2])])).toThrow(
      /^grad: .*\(called with outputs=\[Double\[\]\], inputs=\[Float\[2\]\]\)$/s,
    );
  });

  it('rejects values that were overwritten in place', () => {
    const x = leaf([1, 2]);
    const y = x.exp();
    y.add_(1);
    expect(() => backward(y.sum())).toThrow('modified by an inplace operation');
    expect(() => x.add_(1)).toThrow(
      'a leaf Variable that requires grad is being used in an in-place operation',
    );
  });
});

describe('grad', () => {
  it('differentiates the sum of several outputs with respect to several inputs and leaves no gradient behind', () => {
    const [x, y] = [leaf([1, 2]), leaf([3, 5])];
    const [dx, dy] = grad([x.mul(y).sum(), x.sum()], [x, y]);
    expect(dx?.toNumbers()).toEqual([4, 6]);
    expect(dy?.toNumbers()).toEqual([1, 2]);
    expect(x.grad).toBeUndefined();
  });

  it('reaches tensors inside the graph', () => {
    const x = leaf([2]);
    const inner = x.mul(3);
    expect(grad(inner.mul(inner).sum(), [inner])[0]?.toNumbers()).toEqual([12]);
  });

  it('returns undefined for inputs without influence, if that is allowed', () => {
    const [x, y] = [leaf([1]), leaf([1])];
    const [dx, dy] = grad(x.mul(2).sum(), [x, y], { allowUnused: true });
    expect(dx?.toNumbers()).toEqual([2]);
    expect(dy).toBeUndefined();
    expect(() => grad(x.mul(2).sum(), [x, y])).toThrow(/^grad: .*of the differentiated .*/s);
  });

  it('of grad gives the derivatives 3x^2, 6x, 6 and 0 of x^3', () => {
    const x = leaf([1.5, -2]);
    const first = grad(x.pow(3).sum(), [x], { createGraph: true })[0] as Tensor;
    const second = grad(first.sum(), [x], { createGraph: true })[0] as Tensor;
    const third = grad(second.sum(), [x], { createGraph: true })[0] as Tensor;
    expect(first.toNumbers()).toEqual([6.75, 12]);
    expect(second.toNumbers()).toEqual([9, -12]);
    expect(third.toNumbers()).toEqual([6, 6]);
  });

  it('of grad gives the mixed second derivatives', () => {
    const [x, y] = [leaf(2), leaf(5)];
    // f = x^2 y^3: d2f/dxdy = 6 x y^2
    const dx = grad(x.pow(2).mul(y.pow(3)), [x], { createGraph: true })[0] as Tensor;
    expect(grad(dx, [y])[0]?.item()).toBe(6 * 2 * 25);
  });

  it('of grad gives Hessian-vector products of a convolutional network', () => {
    const numbers = (count: number, phase: number) =>
      Array.from({ length: count }, (_, index) => Math.sin(1.7 * index + phase));
    const made = (shape: number[], phase: number) =>
      fromTypedArray(
        Float64Array.from(
          numbers(
            shape.reduce((a, b) => a * b),
            phase,
          ),
        ),
        shape,
      );
    const image = made([2, 2, 5, 5], 0.3);
    const parameters = [made([3, 2, 3, 3], 1), made([3], 2), made([4, 3], 3)];
    const directions = [made([3, 2, 3, 3], 4), made([3], 5), made([4, 3], 6)];
    for (const parameter of parameters) parameter.requiresGrad = true;
    const [filters, bias, output] = parameters as [Tensor, Tensor, Tensor];
    const target = tensor([1, 3], 'int64');
    const loss = () =>
      conv2d(image, filters, bias, 1, 1)
        .softplus()
        .avgPool2d(5)
        .flatten(1)
        .matmul(output.t())
        .crossEntropyLoss(target);
    const slope = (createGraph: boolean) =>
      grad(loss(), parameters, { createGraph })
        .map((gradient, place) => gradient.mul(directions[place] as Tensor).sum())
        .reduce((total, term) => total.add(term));

    const products = grad(slope(true), parameters);
    for (const [place, parameter] of parameters.entries()) {
      // H v = d(g.v)/dw, and g.v itself is a gradient: differences of gradients.
      const differences = centralDifferences(() => enableGrad(() => slope(false)), parameter, 1e-5);
      const product = (products[place] as Tensor).toNumbers();
      expect(product.some((value) => Math.abs(value) > 1e-2)).toBe(true);
      for (const [index, value] of product.entries())
        expect(value).toBeCloseTo(differences[index] as number, 8);
    }
  });
});

describe('noGrad and enableGrad', () => {
  it('nest, and end when their body throws', () => {
    const x = leaf([1]);
    const seen = noGrad(() => [
      x.mul(2).requiresGrad,
      enableGrad(() => [x.mul(2).requiresGrad, noGrad(() => x.mul(2).requiresGrad)]),
      x.mul(2).requiresGrad,
    ]);
    expect(seen).toEqual([false, [true, false], false]);
    expect(() =>
      noGrad(() => {
        throw new Error('stop');
      }),
    ).toThrow('stop');
    expect(x.mul(2).requiresGrad).toBe(true);
  });
});

describe('gradients of a leaf', () => {
  it('can be set and removed', () => {
    const x = leaf([1, 2]);
    x.grad = tensor([5, 6], 'float64');
    backward(x.sum());
    expect(x.grad?.toNumbers()).toEqual([6, 7]);
    x.grad = undefined;
    expect(x.grad).toBeUndefined();
  });

  it('must fit the leaf', () => {
    const x = leaf([1, 2]);
    expect(() => {
      x.grad = zeros([3], { dtype: 'float64' });
    }).toThrow('a gradient Double[3] does not fit its tensor Double[2]');
    expect(() => {
      x.grad = zeros([2]);
    }).toThrow('a gradient Float[2] does not fit its tensor Double[2]');
  });

  it('exist for floating tensors only', () => {
    expect(() => {
      tensor([1], 'int64').requiresGrad = true;
    }).toThrow('Only Tensors of floating point and complex dtype can require gradients');
  });

  it('flow through copies to another dtype, and stop at detach', () => {
    const x = leaf([1, 2]);
    backward(x.to({ dtype: 'float32' }).mul(3).sum());
    expect(x.grad?.dtype).toBe('float64');
    expect(x.grad?.toNumbers()).toEqual([3, 3]);
    expect(x.detach().mul(2).requiresGrad).toBe(false);
  });

  it('survive the scope of the step that made them', () => {
    const x = leaf([1, 2]);
    scope(() => backward(x.mul(x).sum()));
    expect(x.grad?.toNumbers()).toEqual([2, 4]);
  });
});
