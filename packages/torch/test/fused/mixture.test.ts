import { describe, expect, it } from 'vitest';
import { fused, grad, manualSeed, rand, randn, scope, type Tensor, tensor } from '../../src/index.js';
import { worst } from './comparison.js';
import { onOneAndTwoThreads } from './on-threads.js';

const vector = (values: Tensor) => values.reshape([1, -1, 1, 1]);

/** The same by libtorch's operators. */
function composed(
  terms: readonly fused.MixtureTerm[],
  weights: Tensor,
  channels: number,
  shares?: Tensor,
): Tensor[] {
  return Array.from({ length: weights.shape[0] as number }, (_, edge) =>
    terms
      .map((term, t) => {
        const values =
          term instanceof fused.Normalised
            ? term.values.mul(vector(term.scale)).add(vector(term.shift))
            : term;
        const own = values.shape[1] === channels ? values : values.narrow(1, edge * channels, channels);
        const weighted = own.mul(weights.select(0, edge).select(0, t));
        return shares === undefined ? weighted : weighted.mul(shares.select(1, t).reshape([-1, 1, 1, 1]));
      })
      .reduce((sum, term) => sum.add(term)),
  );
}

onOneAndTwoThreads(() => {
  describe('a mixture', () => {
    it('is the sum of its terms, each normalised and times its weight', () => {
      scope(() => {
        const shared = tensor([[[[1, 2]], [[3, 4]]]]);
        const own = new fused.Normalised(
          tensor([[[[1, 1]], [[2, 2]], [[3, 3]], [[4, 5]]]]),
          tensor([1, 2, 3, 4]),
          tensor([0, 0, 0, 10]),
        );
        const sums = fused.mixture(
          [shared, own],
          tensor([
            [1, 2],
            [10, 0.5],
          ]),
          2,
        );
        expect(sums.map((sum) => sum.toNumbers())).toEqual([
          [1 + 2, 2 + 2, 3 + 8, 4 + 8],
          [10 + 4.5, 20 + 4.5, 30 + 13, 40 + 15],
        ]);
      });
    });

    it.each([
      ['float64', 1e-11, 3, 5, 'channels_last', 'alike'],
      ['float64', 1e-11, 1, 16, 'contiguous', 'alike'],
      ['float64', 1e-11, 2, 5, 'channels_last', 'with shares'],
      ['float32', 5e-5, 3, 36, 'channels_last', 'alike'],
      ['float32', 5e-5, 2, 7, 'contiguous', 'alike'],
      ['float32', 5e-5, 1, 36, 'channels_last', 'with shares'],
      // The channels of all registers that are read together, and more.
      ['float32', 5e-5, 2, 64, 'channels_last', 'alike'],
      ['float32', 5e-5, 2, 90, 'channels_last', 'alike'],
    ] as const)(
      'has the values and gradients of libtorch in %s (%d, %d edges, %d channels, %s, images %s)',
      (dtype, tolerance, edges, channels, memoryFormat, images) => {
        scope(() => {
          manualSeed(3);
          const make = (width: number) => randn([3, width, 4, 5], { dtype }).contiguous({ memoryFormat });
          const normalised = (width: number) =>
            new fused.Normalised(make(width), rand([width], { dtype }).add(0.5), randn([width], { dtype }));
          const terms = [
            make(channels),
            normalised(channels),
            make(channels * edges),
            normalised(channels * edges),
          ];
          const weights = randn([edges, terms.length], { dtype });
          const learned = [
            weights,
            ...terms.flatMap((term) =>
              term instanceof fused.Normalised ? [term.values, term.scale, term.shift] : [term],
            ),
          ];
          for (const each of learned) each.requiresGrad = true;
          const gradients = Array.from({ length: edges }, () => randn([3, channels, 4, 5], { dtype }));
          const kept = [1.25, 0, 1.25, 1, 0, 1.25, 1.25, 1, 0.5, 1.25, 0, 1];
          const shares = images === 'alike' ? undefined : tensor(kept, dtype).reshape([3, 4]);
          const ours = fused.mixture(terms, weights, channels, shares);
          const theirs = composed(terms, weights, channels, shares);
          for (const [edge, sum] of ours.entries())
            expect(worst(sum.toNumbers(), theirs[edge]!.toNumbers())).toBeLessThan(tolerance);
          const expected = grad(theirs, learned, { gradients });
          for (const [place, gradient] of grad(ours, learned, { gradients }).entries())
            expect(
              worst(gradient.toNumbers(), expected[place]!.toNumbers()),
              `gradient ${place}`,
            ).toBeLessThan(tolerance);
        });
      },
    );

    it('adds to the tensors that some of the sums start from, and gives them their gradients', () => {
      scope(() => {
        manualSeed(4);
        const terms = [randn([2, 5, 3, 3]), randn([2, 10, 3, 3])];
        const weights = randn([2, 2]);
        // In another order of memory than the sums.
        const start = randn([2, 5, 3, 3]).contiguous({ memoryFormat: 'contiguous' });
        const learned = [start, ...terms];
        for (const each of learned) each.requiresGrad = true;
        const plain = fused.mixture(terms, weights, 5);
        const ours = fused.mixture(terms, weights, 5, undefined, [undefined, start]);
        const theirs = [plain[0]!, plain[1]!.add(start)];
        for (const [edge, sum] of ours.entries())
          expect(worst(sum.toNumbers(), theirs[edge]!.toNumbers())).toBeLessThan(1e-6);
        const gradients = theirs.map(({ shape }) => randn(shape));
        const expected = grad(theirs, learned, { gradients });
        for (const [place, gradient] of grad(ours, learned, { gradients }).entries())
          expect(worst(gradient.toNumbers(), expected[place]!.toNumbers()), `gradient ${place}`).toBeLessThan(
            1e-6,
          );
      });
    });

    it('gets no gradient from an edge that the loss does not read', () => {
      scope(() => {
        const [shared, own] = [randn([2, 3, 2, 2]), randn([2, 6, 2, 2])];
        for (const each of [shared, own]) each.requiresGrad = true;
        const [, second] = fused.mixture(
          [shared, own],
          tensor([
            [1, 1],
            [2, 3],
          ]),
          3,
        );
        const [toShared, toOwn] = grad(second!.sum(), [shared, own]);
        expect(new Set(toShared!.toNumbers())).toEqual(new Set([2]));
        expect(toOwn!.sum([0, 2, 3]).toNumbers()).toEqual([0, 0, 0, 24, 24, 24]);
      });
    });

    it('names arguments that do not fit', () => {
      scope(() => {
        const image = randn([1, 4, 2, 2]);
        expect(() => fused.mixture([image], tensor([[1], [1]]), 3)).toThrow(
          'allowed: Float images of that size on the CPU with 3 channels, or as many for each of 2 edges',
        );
        expect(() => fused.mixture([image], tensor([[1, 1]]), 4)).toThrow('allowed: weights [edges, terms]');
        expect(() => fused.mixture([image], tensor([[1]]), 4, undefined, [image, image])).toThrow(
          'the sums of 1 edges start from 2 tensors; allowed: one each, or none',
        );
        expect(() => fused.mixture([image], tensor([[1]]), 4, undefined, [randn([1, 4, 2, 3])])).toThrow(
          "argument 'starts[0]' is Float[1, 4, 2, 3]; allowed: Float[1, 4, 2, 2] on the CPU",
        );
        expect(() => fused.mixture([image], tensor([[1]]), 4, tensor([[1, 1]]))).toThrow(
          "argument 'shares' is Float[1, 2]; allowed: Float[1, 1] on the CPU",
        );
      });
    });
  });
});
