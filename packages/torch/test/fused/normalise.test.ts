import { describe, expect, it } from 'vitest';
import {
  cat,
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

onOneAndTwoThreads(() => {
  describe.each([true, false])('batch norm as a scale and a shift, learned: %s', (affine) => {
    it.each(['channels_last', 'contiguous'] as const)(
      'has the values, gradients and statistics of libtorch, %s',
      (memoryFormat) => {
        scope(() => {
          manualSeed(2);
          const values = randn([3, 10, 4, 5], { dtype: 'float64' })
            .mul(3)
            .add(7)
            .contiguous({ memoryFormat });
          const make = () =>
            [0, 1].map(() => new nn.BatchNorm2d(5, { affine, momentum: 0.3 }).to({ dtype: 'float64' }));
          const [ours, theirs] = [make(), make()];
          for (const [place, norm] of ours.entries())
            noGrad(() => {
              norm.weight?.copy_(rand([norm.weight.size], { dtype: 'float64' }));
              theirs[place]?.weight?.copy_(norm.weight as Tensor);
            });
          const learned = (norms: readonly nn.BatchNorm2d[]) => [
            values,
            ...norms.flatMap((norm) => norm.parameters()),
          ];
          values.requiresGrad = true;
          const output = fused.normalise(values, ours).toTensor();
          const expected = cat(
            [values.narrow(1, 0, 5), values.narrow(1, 5, 5)].map((part, place) =>
              fused.withoutKernels(() => theirs[place]!.forward(part)),
            ),
            1,
          );
          expect(worst(output.toNumbers(), expected.toNumbers())).toBeLessThan(1e-11);
          const gradients = [randn(output.shape, { dtype: 'float64' })];
          const compared = grad(expected, learned(theirs), { gradients });
          for (const [place, gradient] of grad(output, learned(ours), { gradients }).entries())
            expect(
              worst(gradient.toNumbers(), compared[place]!.toNumbers()),
              `gradient ${place}`,
            ).toBeLessThan(1e-10);
          for (const [place, norm] of ours.entries())
            for (const [name, value] of norm.namedBuffers())
              expect(
                worst(value.toNumbers(), theirs[place]!.stateDict().get(name)!.toNumbers()),
              ).toBeLessThan(1e-11);
        });
      },
    );
  });
});

it('all norms have the same number of channels', () => {
  scope(() => {
    const norms = [4, 6].map((channels) => new nn.BatchNorm2d(channels));
    expect(() => fused.normalise(randn([2, 10, 2, 2]), norms)).toThrow(
      "espalier::normalise: argument 'gamma[0]' is Float[4]; allowed: Float[5] on the CPU",
    );
  });
});

it('computes batch norm of images in training, with the statistics of libtorch, but not in evaluation', () => {
  scope(() => {
    manualSeed(6);
    const image = randn([3, 5, 4, 6]).add(2);
    const [own, compared] = [new nn.BatchNorm2d(5), new nn.BatchNorm2d(5)];
    const calls = (norm: nn.BatchNorm2d) => {
      const called: string[] = [];
      const output = observeOperators(
        ({ name }) => called.push(name),
        () => norm.forward(image),
      );
      return { called, output };
    };
    const { called, output } = calls(own);
    expect(called).toContain('espalier::normalise');
    const expected = fused.withoutKernels(() => compared.forward(image));
    expect(worst(output.toNumbers(), expected.toNumbers())).toBeLessThan(1e-5);
    for (const [name, value] of own.namedBuffers())
      expect(worst(value.toNumbers(), compared.stateDict().get(name)!.toNumbers())).toBeLessThan(1e-5);
    own.eval();
    expect(calls(own).called).not.toContain('espalier::normalise');
    // Without running statistics there is nothing to update.
    const bare = calls(new nn.BatchNorm2d(5, { affine: false, trackRunningStats: false }));
    expect(worst(bare.output.toNumbers(), expected.toNumbers())).toBeLessThan(1e-5);
  });
});
