import { describe, expect, it } from 'vitest';
import {
  fused,
  grad,
  manualSeed,
  nn,
  noGrad,
  observeOperators,
  rand,
  randn,
  scope,
  type Tensor,
} from '../../src/index.js';
import { worst } from './comparison.js';
import { onOneAndTwoThreads } from './on-threads.js';

interface Case {
  readonly affine?: boolean;
  readonly size?: readonly [number, number, number, number];
  readonly memoryFormat?: 'channels_last' | 'contiguous';
  readonly trackRunningStats?: boolean;
}

const cases: Record<string, Case> = {
  'of channels that do not fill a register': {},
  'of four channels': { size: [3, 4, 9, 7] },
  'of many channels': { size: [2, 37, 6, 5] },
  'of a single image': { size: [1, 16, 5, 5] },
  'in the default layout': { memoryFormat: 'contiguous' },
  'without a learned scale and shift': { affine: false },
  'without running statistics': { trackRunningStats: false },
};

function called(body: () => Tensor): { names: string[]; output: Tensor } {
  const names: string[] = [];
  const output = observeOperators(({ name }) => names.push(name), body);
  return { names, output };
}

onOneAndTwoThreads(() => {
  describe.each([
    ['float64', 1e-11],
    ['float32', 2e-5],
  ] as const)('batch norm and rectified linear units in %s', (dtype, tolerance) => {
    it.each(Object.entries(cases))('%s have the values, gradients and statistics of libtorch', (_, given) => {
      scope(() => {
        manualSeed(3);
        const {
          affine = true,
          trackRunningStats = true,
          size = [3, 10, 4, 5],
          memoryFormat = 'channels_last',
        } = given;
        const channels = size[1];
        const values = randn(size, { dtype }).mul(3).add(1).contiguous({ memoryFormat });
        const make = () =>
          new nn.BatchNorm2d(channels, { affine, trackRunningStats, momentum: 0.3 }).to({ dtype });
        const [ours, theirs] = [make(), make()];
        noGrad(() => {
          for (const name of ['weight', 'bias'] as const) {
            ours[name]?.copy_(rand([channels], { dtype }).sub(0.3));
            theirs[name]?.copy_(ours[name] as Tensor);
          }
        });
        values.requiresGrad = true;
        const { names, output } = called(() => fused.batchNormRelu(values, ours));
        expect(names).toContain('espalier::batch_norm_relu');
        const expected = fused.withoutKernels(() => fused.batchNormRelu(values, theirs));
        expect(output.shape).toEqual(expected.shape);
        expect(worst(output.toNumbers(), expected.toNumbers())).toBeLessThan(tolerance);
        const gradients = [randn(size, { dtype })];
        const compared = grad(expected, [values, ...theirs.parameters()], { gradients });
        for (const [place, gradient] of grad(output, [values, ...ours.parameters()], { gradients }).entries())
          expect(worst(gradient.toNumbers(), compared[place]!.toNumbers()), `gradient ${place}`).toBeLessThan(
            tolerance,
          );
        for (const [name, value] of ours.namedBuffers())
          expect(worst(value.toNumbers(), theirs.stateDict().get(name)!.toNumbers()), name).toBeLessThan(
            tolerance,
          );
      });
    });
  });
});

it('in evaluation and without kernels, they are two operators', () => {
  scope(() => {
    const norm = new nn.BatchNorm2d(4);
    const image = randn([2, 4, 3, 3]);
    expect(called(() => fused.withoutKernels(() => fused.batchNormRelu(image, norm))).names).not.toContain(
      'espalier::batch_norm_relu',
    );
    norm.eval();
    const { names, output } = called(() => fused.batchNormRelu(image, norm));
    expect(names).not.toContain('espalier::batch_norm_relu');
    expect(output.toNumbers()).toEqual(norm.forward(image).relu().toNumbers());
  });
});

it('NaN stays NaN', () => {
  scope(() => {
    const image = randn([2, 1, 2, 2]);
    image.select(0, 1).fill_(Number.NaN);
    expect(fused.batchNormRelu(image, new nn.BatchNorm2d(1)).toNumbers().every(Number.isNaN)).toBe(true);
  });
});

it('refuses one value a channel, and tensors that do not have four dimensions', () => {
  scope(() => {
    const norm = new nn.BatchNorm2d(4);
    expect(() => fused.batchNormRelu(randn([1, 4, 1, 1]), norm)).toThrow(
      new RangeError(
        'BatchNorm2d cannot normalise a batch of shape [1, 4, 1, 1]: a single value of each feature has no variance',
      ),
    );
    expect(() => fused.batchNormRelu(randn([2, 4]), norm)).toThrow('takes tensors of 4 dimensions');
  });
});
