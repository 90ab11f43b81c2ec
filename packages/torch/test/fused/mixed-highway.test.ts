import { describe, expect, it } from 'vitest';
import { fused, grad, manualSeed, rand, randn, scope, type Tensor, tensor } from '../../src/index.js';
import { worst } from './comparison.js';
import { onOneAndTwoThreads } from './on-threads.js';

/** The same by libtorch's operators, edge by edge as in the paper. */
function composed(states: Tensor, products: Tensor, weights: Tensor): Tensor {
  return states
    .unbind(0)
    .map((state, edge) => {
      const [gate, value] = products.select(0, edge).chunk(2, 1) as [Tensor, Tensor];
      return [value.tanh(), value.relu(), value.sigmoid(), value]
        .map((activated, k) =>
          state.add(gate.sigmoid().mul(activated.sub(state))).mul(weights.select(0, edge).select(0, k)),
        )
        .reduce((sum, term) => sum.add(term));
    })
    .reduce((sum, term) => sum.add(term));
}

onOneAndTwoThreads(() => {
  describe('a mixed highway', () => {
    it.each([
      ['float64', 1e-11, 3, 5, 7],
      ['float64', 1e-11, 1, 2, 16],
      ['float32', 2e-6, 8, 6, 37],
      ['float32', 2e-6, 1, 1, 300],
    ] as const)(
      'has the values and gradients of libtorch in %s (%d, %d edges, %d texts, %d units)',
      (dtype, tolerance, edges, texts, units) => {
        scope(() => {
          manualSeed(8);
          const inputs = [
            randn([edges, texts, units], { dtype }),
            randn([edges, texts, 2 * units], { dtype }).mul(4),
            rand([edges, 4], { dtype }),
          ] as [Tensor, Tensor, Tensor];
          for (const each of inputs) each.requiresGrad = true;
          const [ours, theirs] = [fused.mixedHighway(...inputs), composed(...inputs)];
          expect(worst(ours.toNumbers(), theirs.toNumbers())).toBeLessThan(tolerance);
          const gradients = [randn([texts, units], { dtype })];
          const expected = grad(theirs, inputs, { gradients });
          for (const [place, gradient] of grad(ours, inputs, { gradients }).entries())
            expect(
              worst(gradient.toNumbers(), expected[place]!.toNumbers()),
              `gradient ${place}`,
            ).toBeLessThan(5 * tolerance);
        });
      },
    );

    it('has its limits far from zero, and of NaN is NaN', () => {
      scope(() => {
        const states = tensor([[[1, 1, 1, 1]]]);
        const products = tensor([[[200, -200, 0, 0, 300, 300, -300, Number.NaN]]]);
        const values = fused.mixedHighway(states, products, tensor([[1, 0, 0, 0]])).toNumbers();
        expect(values).toEqual([1, 1, 0, Number.NaN]);
        const sigmoids = fused.mixedHighway(states, products, tensor([[0, 0, 1, 0]])).toNumbers();
        expect(sigmoids.slice(0, 3)).toEqual([1, 1, 0.5]);
      });
    });
  });
});
