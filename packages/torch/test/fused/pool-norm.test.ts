import { describe, expect, it } from 'vitest';
import {
  fused,
  grad,
  manualSeed,
  nn,
  observeOperators,
  randn,
  scope,
  type Tensor,
  tensor,
} from '../../src/index.js';
import { worst } from './comparison.js';
import { onOneAndTwoThreads } from './on-threads.js';

/** The pooling that the kernels compute, as a layer. */
const layerOf = (kind: 'max' | 'avg', stride: number) =>
  kind === 'max'
    ? new nn.MaxPool2d(3, { stride, padding: 1 })
    : new nn.AvgPool2d(3, { stride, padding: 1, countIncludePad: false });

/** Integers, many of them equal: of equal values max pooling takes the first. */
function withEqualValues(
  shape: readonly number[],
  dtype: 'float32' | 'float64',
  memoryFormat: 'channels_last' | 'contiguous',
): Tensor {
  const image = randn(shape, { dtype }).mul(2).round().contiguous({ memoryFormat });
  image.requiresGrad = true;
  return image;
}

onOneAndTwoThreads(() => {
  describe.each(['max', 'avg'] as const)('%s pooling with batch norm', (kind) => {
    it.each([
      ['float64', 1e-11, 1, [8, 6], 4, 'channels_last'],
      ['float64', 1e-11, 2, [8, 6], 7, 'contiguous'],
      ['float64', 1e-11, 2, [5, 7], 16, 'channels_last'],
      ['float64', 1e-11, 1, [1, 2], 3, 'channels_last'],
      ['float32', 5e-5, 1, [6, 6], 36, 'channels_last'],
      ['float32', 5e-5, 2, [7, 5], 20, 'contiguous'],
    ] as const)(
      'has the values, gradients and statistics of libtorch in %s (%d, stride %d, image %o, %d channels, %s)',
      (dtype, tolerance, stride, size, channels, memoryFormat) => {
        scope(() => {
          manualSeed(4);
          const image = withEqualValues([3, channels, ...size], dtype, memoryFormat);
          const norms = [0, 1, 2].map(() => new nn.BatchNorm2d(channels, { affine: false }).to({ dtype }));
          const [compared, ...own] = norms as [nn.BatchNorm2d, ...nn.BatchNorm2d[]];
          const pool = layerOf(kind, stride);
          const ours = fused.poolNorm(image, { kind, stride, norms: own }).toTensor();
          const theirs = fused.withoutKernels(() => compared.forward(pool.forward(image)));
          expect(ours.shape).toEqual(theirs.shape);
          expect(worst(ours.toNumbers(), theirs.toNumbers())).toBeLessThan(tolerance);
          const gradients = [randn(ours.shape, { dtype })];
          const [gradient] = grad(ours, [image], { gradients });
          const [expected] = grad(theirs, [image], { gradients });
          expect(worst(gradient!.toNumbers(), expected!.toNumbers())).toBeLessThan(tolerance);
          const statistics = (norm: nn.BatchNorm2d) =>
            [...norm.stateDict().values()].flatMap((value) => value.toNumbers());
          for (const norm of own)
            expect(worst(statistics(norm), statistics(compared))).toBeLessThan(tolerance);
        });
      },
    );
  });

  describe('several poolings of one state', () => {
    it.each([1, 2])('are each the same as alone, and their gradients add up (stride %d)', (stride) => {
      scope(() => {
        manualSeed(6);
        const image = withEqualValues([3, 5, 7, 6], 'float64', 'channels_last');
        const norms = () =>
          [0, 1].map(() => new nn.BatchNorm2d(5, { affine: false }).to({ dtype: 'float64' }));
        const kinds = ['avg', 'max', 'max'] as const;
        const pools = () => kinds.map((kind) => ({ kind, stride, norms: norms() }));
        const [together, alone] = [pools(), pools()];
        const ours = fused.poolNorms(image, together).map((each) => each.toTensor());
        const theirs = alone.map((pool) => fused.poolNorm(image, pool).toTensor());
        for (const [place, value] of ours.entries())
          expect(value.toNumbers()).toEqual(theirs[place]!.toNumbers());
        const gradients = theirs.map(({ shape }) => randn(shape, { dtype: 'float64' }));
        const [own, expected] = [ours, theirs].map(
          (outputs) => grad(outputs, [image], { gradients })[0] as Tensor,
        ) as [Tensor, Tensor];
        expect(worst(own.toNumbers(), expected.toNumbers())).toBeLessThan(1e-14);
        const statistics = (given: readonly fused.PoolNorm[]) =>
          given.flatMap((pool) => pool.norms.flatMap((norm) => norm.running_var!.toNumbers()));
        expect(statistics(together)).toEqual(statistics(alone));
      });
    });
  });

  describe.each(['max', 'avg'] as const)('%s pooling', (kind) => {
    it.each([
      ['float64', 1e-13, 1, [8, 6], 4, 'channels_last'],
      ['float64', 1e-13, 2, [8, 6], 7, 'contiguous'],
      ['float64', 1e-13, 3, [5, 7], 16, 'channels_last'],
      ['float64', 1e-13, 1, [1, 2], 3, 'channels_last'],
      ['float64', 1e-13, 1, [2, 1], 1, 'channels_last'],
      ['float32', 1e-5, 1, [6, 6], 36, 'channels_last'],
      ['float32', 1e-5, 2, [7, 5], 20, 'contiguous'],
    ] as const)(
      'as a layer has the values and gradients of libtorch in %s (%d, stride %d, image %o, %d channels, %s)',
      (dtype, tolerance, stride, size, channels, memoryFormat) => {
        scope(() => {
          manualSeed(5);
          const image = withEqualValues([2, channels, ...size], dtype, memoryFormat);
          const layer = layerOf(kind, stride);
          const called: string[] = [];
          const ours = observeOperators(
            ({ name }) => called.push(name),
            () => layer.forward(image),
          );
          expect(called).toContain('espalier::pool');
          const theirs = fused.withoutKernels(() => layer.forward(image));
          expect(ours.shape).toEqual(theirs.shape);
          expect(worst(ours.toNumbers(), theirs.toNumbers())).toBeLessThan(tolerance);
          const gradients = [randn(ours.shape, { dtype })];
          const [gradient] = grad(ours, [image], { gradients });
          const [expected] = grad(theirs, [image], { gradients });
          expect(worst(gradient!.toNumbers(), expected!.toNumbers())).toBeLessThan(tolerance);
        });
      },
    );
  });
});

describe('pooling that no kernel computes', () => {
  it.each([
    ['of windows of 2x2', () => new nn.MaxPool2d(2)],
    ['that counts the padding', () => new nn.AvgPool2d(3, { stride: 1, padding: 1 })],
    ['with dilation', () => new nn.MaxPool2d(3, { stride: 1, padding: 1, dilation: 2 })],
    ['in evaluation', () => new nn.MaxPool2d(3, { stride: 1, padding: 1 }).eval()],
  ])("is libtorch's: %s", (_, layer) => {
    scope(() => {
      const called: string[] = [];
      observeOperators(
        ({ name }) => called.push(name),
        () => layer().forward(randn([2, 3, 8, 8])),
      );
      expect(called).not.toContain('espalier::pool');
    });
  });
});

describe('max pooling', () => {
  it('takes NaN for the greatest value', () => {
    scope(() => {
      const image = tensor([[[[1, Number.NaN, 3, 4, 5, 6]]]]);
      const { values } = fused.poolNorm(image, {
        kind: 'max',
        stride: 1,
        norms: [new nn.BatchNorm2d(1, { affine: false })],
      });
      expect(values.toNumbers()).toEqual([Number.NaN, Number.NaN, Number.NaN, 5, 6, 6]);
    });
  });
});
