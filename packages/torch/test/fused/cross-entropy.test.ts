import { describe, expect, it } from 'vitest';
import { fused, grad, manualSeed, randint, randn, scope, type Tensor, tensor } from '../../src/index.js';
import { worst } from './comparison.js';
import { onOneAndTwoThreads } from './on-threads.js';

onOneAndTwoThreads(() => {
  describe('cross entropy over a vocabulary', () => {
    it.each([
      ['float64', 1e-12, [1], 1],
      ['float64', 1e-12, [5], 7],
      ['float64', 1e-12, [3, 2], 131],
      ['float32', 1e-6, [4, 3], 64],
      ['float32', 1e-6, [35, 8], 1003],
    ] as const)(
      'has the values and gradients of libtorch in %s (%d, %j rows, %d tokens)',
      (dtype, tolerance, rows, tokens) => {
        scope(() => {
          manualSeed(9);
          const logits = randn([...rows, tokens], { dtype }).mul(5);
          logits.requiresGrad = true;
          const targets = randint(0, tokens, [...rows], { dtype: 'int64' });
          const ours = fused.crossEntropy(logits, targets);
          const theirs = logits.flatten(0, -2).crossEntropyLoss(targets.flatten());
          expect(ours.shape).toEqual([]);
          expect(Math.abs(ours.item() - theirs.item())).toBeLessThan(tolerance * Math.max(1, theirs.item()));
          const [own, expected] = [ours, theirs].map((loss) => grad(loss.mul(3), [logits])[0] as Tensor);
          expect(own!.shape).toEqual(logits.shape);
          expect(worst(own!.toNumbers(), expected!.toNumbers())).toBeLessThan(2 * tolerance);
        });
      },
    );

    it('is the logarithm of the sum of exponentials minus the logit of the target, also far from zero', () => {
      scope(() => {
        const targets = tensor([1, 0], 'int64');
        const two = tensor([
          [0, Math.log(3)],
          [0, Math.log(3)],
        ]);
        expect(fused.crossEntropy(two, targets).item()).toBeCloseTo((Math.log(4 / 3) + Math.log(4)) / 2, 6);
        const far = tensor([
          [-1000, 1000],
          [1000, 1000],
        ]);
        expect(fused.crossEntropy(far, targets).item()).toBeCloseTo(Math.log(2) / 2, 6);
      });
    });

    it('of a row with a NaN is NaN, wherever it stands', () => {
      scope(() => {
        const rows = Array.from({ length: 70 }, () => 0);
        for (const place of [0, 33, 69]) {
          const values = rows.map((value, index) => (index === place ? Number.NaN : value));
          expect(fused.crossEntropy(tensor([values]), tensor([1], 'int64')).item()).toBeNaN();
        }
      });
    });

    it('names the target that is out of range', () => {
      scope(() => {
        expect(() => fused.crossEntropy(randn([2, 5]), tensor([4, 5], 'int64'))).toThrow(
          /^espalier::cross_entropy: target 1 is 5; allowed: 0 to 4/,
        );
        expect(() => fused.crossEntropy(randn([2, 5]), tensor([4], 'int64'))).toThrow(
          "espalier::cross_entropy: argument 'targets' is Long[1]; allowed: Long[2] on the CPU",
        );
      });
    });
  });
});
