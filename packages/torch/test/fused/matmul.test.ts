import { describe, expect, it } from 'vitest';
import {
  autocast,
  fused,
  grad,
  linear,
  manualSeed,
  randn,
  scope,
  setThreads,
  type Tensor,
} from '../../src/index.js';
import { worst } from './comparison.js';

setThreads(2);

/** Values and gradients of ours beside libtorch's. */
function compare(ours: Tensor, theirs: Tensor, inputs: Tensor[], tolerance: number) {
  expect(ours.shape).toEqual(theirs.shape);
  expect(worst(ours.toNumbers(), theirs.toNumbers())).toBeLessThan(tolerance);
  const gradients = [randn(theirs.shape, { dtype: theirs.dtype })];
  const expected = grad(theirs, inputs, { gradients });
  for (const [place, gradient] of grad(ours, inputs, { gradients }).entries()) {
    expect(gradient.shape).toEqual(inputs[place]!.shape);
    expect(worst(gradient.toNumbers(), expected[place]!.toNumbers()), `gradient ${place}`).toBeLessThan(
      tolerance,
    );
  }
}

// One of everything; less than a vector; more terms than are summed at once (320), more rows than are done at once (512),
// rows shared between threads (from 256 on) and columns (below that); a remainder of each.
const sizes = [
  [1, 1, 1],
  [2, 3, 5],
  [7, 641, 10],
  [64, 65, 613],
  [300, 17, 33],
  [1100, 520, 70],
] as const;

describe('a matrix product', () => {
  for (const [dtype, tolerance] of [
    ['float64', 1e-12],
    ['float32', 1e-5],
  ] as const)
    it.each(sizes)(
      `has the values and gradients of libtorch in ${dtype} ([%d, %d] times %d columns)`,
      (m, k, n) => {
        scope(() => {
          manualSeed(5);
          const [left, right, bias] = [[m, k], [k, n], [n]].map((shape) => randn(shape, { dtype })) as [
            Tensor,
            Tensor,
            Tensor,
          ];
          const weight = right.t().contiguous();
          const learned = [left, right, bias, weight];
          for (const each of learned) each.requiresGrad = true;
          compare(fused.matmul(left, right), left.matmul(right), [left, right], tolerance);
          compare(fused.linear(left, weight), linear(left, weight), [left, weight], tolerance);
          compare(
            fused.linear(left, weight, bias),
            linear(left, weight, bias),
            [left, weight, bias],
            tolerance,
          );
        });
      },
    );

  it('goes over all dimensions before the last, and reads what does not lie in order', () => {
    scope(() => {
      manualSeed(6);
      const left = randn([4, 6, 9], { dtype: 'float64' }).transpose(0, 2);
      const right = randn([8, 5], { dtype: 'float64' }).narrow(0, 2, 4);
      for (const each of [left, right]) each.requiresGrad = true;
      compare(fused.matmul(left, right), left.matmul(right), [left, right], 1e-13);
    });
  });

  it('differentiates to what asks for it alone', () => {
    scope(() => {
      const [left, right] = [randn([3, 4]), randn([4, 2])] as [Tensor, Tensor];
      right.requiresGrad = true;
      const [gradient] = grad(fused.matmul(left, right).sum(), [right]);
      const expected = left.sum(0).toNumbers();
      for (const [place, value] of gradient!.toNumbers().entries())
        expect(value).toBeCloseTo(expected[Math.floor(place / 2)]!, 5);
    });
  });

  it('does not depend on the number of threads', () => {
    scope(() => {
      const [left, right] = [randn([700, 300]), randn([300, 90])] as [Tensor, Tensor];
      const two = fused.matmul(left, right).toNumbers();
      setThreads(1);
      try {
        expect(fused.matmul(left, right).toNumbers()).toEqual(two);
      } finally {
        setThreads(2);
      }
    });
  });

  it('is of zeros where there is nothing to multiply, and says which sizes do not fit', () => {
    scope(() => {
      expect(fused.matmul(randn([0, 3]), randn([3, 2])).shape).toEqual([0, 2]);
      expect(() => fused.matmul(randn([2, 3]), randn([4, 5]))).toThrow(
        /for Float\[2, 3\] the right side is Float\[4, 5\]; allowed: Float \[3, N\]/,
      );
      expect(() => fused.linear(randn([2, 3]), randn([5, 3]), randn([4]))).toThrow(
        /the bias is Float\[4\]; allowed: Float \[5\]/,
      );
    });
  });

  it('is what libtorch computes where autocast asks for bfloat16', () => {
    scope(() => {
      const [left, right] = [randn([8, 16]), randn([16, 4])] as [Tensor, Tensor];
      const product = autocast('bfloat16', () => fused.matmul(left, right));
      expect(product.dtype).toBe('bfloat16');
    });
  });
});
