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
import { onOneAndTwoThreads } from './on-threads.js';

/** Compares the values and gradients of ours with libtorch's. */
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

// One of everything; less than a register; more terms than are summed at once (320) and more rows than are computed at once (512);
// rows divided among threads (from 256 on), or columns (below that); with a remainder of each.
const sizes = [
  [1, 1, 1],
  [2, 3, 5],
  [7, 641, 10],
  [64, 65, 613],
  [300, 17, 33],
  [1100, 520, 70],
] as const;

onOneAndTwoThreads(() => {
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

    it('goes over all dimensions before the last, and reads tensors in any order of memory', () => {
      scope(() => {
        manualSeed(6);
        const left = randn([4, 6, 9], { dtype: 'float64' }).transpose(0, 2);
        const right = randn([8, 5], { dtype: 'float64' }).narrow(0, 2, 4);
        for (const each of [left, right]) each.requiresGrad = true;
        compare(fused.matmul(left, right), left.matmul(right), [left, right], 1e-13);
      });
    });

    it('differentiates only with respect to the tensors that ask for it', () => {
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
        const [one, two, three] = [1, 2, 3].map((count) => {
          setThreads(count);
          return fused.matmul(left, right).toNumbers();
        });
        expect(two).toEqual(one);
        expect(three).toEqual(one);
      });
    });

    it('of an empty matrix is empty, and names sizes that do not fit', () => {
      scope(() => {
        expect(fused.matmul(randn([0, 3]), randn([3, 2])).shape).toEqual([0, 2]);
        expect(() => fused.matmul(randn([2, 3]), randn([4, 5]))).toThrow(
          "espalier::matmul: argument 'right' is Float[4, 5] for left Float[2, 3]; allowed: Float[3, N] on the CPU",
        );
        expect(() => fused.linear(randn([2, 3]), randn([5, 3]), randn([4]))).toThrow(
          "espalier::matmul: argument 'bias' is Float[4]; allowed: Float[5] on the CPU",
        );
      });
    });

    it("is libtorch's where autocast asks for bfloat16", () => {
      scope(() => {
        const [left, right] = [randn([8, 16]), randn([16, 4])] as [Tensor, Tensor];
        const product = autocast('bfloat16', () => fused.matmul(left, right));
        expect(product.dtype).toBe('bfloat16');
      });
    });
  });
});
