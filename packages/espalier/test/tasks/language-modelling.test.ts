import { scope, type Tensor, tensor, zeros } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { LanguageModelling, type TokenModel } from '../../src/tasks/language-modelling.js';
import { evaluate } from '../../src/tasks/task.js';
import { tinyText } from '../weight-sharing/conformance.js';

/** Says that the next token is the one after the last, modulo 8, with probability e / (e + 7); counts what it has read. */
function counting(): TokenModel & { readonly states: number[][] } {
  const states: number[][] = [];
  return {
    states,
    initialState: (texts) => [zeros([texts, 1])],
    forward(tokens: Tensor, state) {
      const before = state[0] as Tensor;
      states.push(before.flatten().toNumbers());
      const [times, texts] = tokens.shape as [number, number];
      const next = tokens
        .toNumbers()
        .map((token) => Array.from({ length: 8 }, (_, i) => (i === (token + 1) % 8 ? 1 : 0)));
      const raw = tensor(next).reshape([times, texts, 8]);
      return {
        logits: raw,
        state: [before.add(times)],
        activations: { raw, dropped: raw },
      };
    },
  };
}

const options = { stretch: 5, alpha: 0, beta: 0, device: 'cpu' };
const task = new LanguageModelling(tinyText, options);

describe('language modelling', () => {
  it('is judged by the perplexity: e to the mean loss over all tokens', () => {
    // Four columns of ten tokens: nine predictions each.
    const right = Array.from({ length: 4 }, (_, text) =>
      Array.from({ length: 9 }, (_, i) => {
        const [token, next] = [tinyText.validation[text * 10 + i]!, tinyText.validation[text * 10 + i + 1]!];
        return next === (token + 1) % 8 ? 1 : 0;
      }),
    ).flat();
    const share = right.reduce<number>((sum, one) => sum + one, 0) / right.length;
    const expected = Math.exp(Math.log(Math.E + 7) - share);
    expect(evaluate(task, counting(), 'validation', { size: 4 })).toBeCloseTo(expected, 5);
  });

  it('hands the state on from stretch to stretch, once however often a stretch is read, and begins with zeros', () => {
    const model = counting();
    let step = 0;
    for (const batch of task.pass('train', { size: 2 })) {
      scope(() => batch.loss(model));
      // A second look, as a second-order step takes it.
      if (step++ === 1) scope(() => batch.trainingLoss(model));
    }
    // Columns of 40 tokens in stretches of 5: eight, the last of 4.
    expect(step).toBe(8);
    expect(task.batchCount('train', 2)).toBe(8);
    expect(model.states).toEqual([0, 5, 5, 10, 15, 20, 25, 30, 35].map((read) => [read, read]));
  });

  it('adds the regularisation to what is differentiated only', () => {
    const regularised = new LanguageModelling(tinyText, { ...options, alpha: 2 });
    const [batch] = regularised.pass('train', { size: 2 });
    scope(() => {
      const { loss, total } = batch!.trainingLoss(counting());
      expect(total.item()).toBeGreaterThan(loss.item());
      expect(batch!.loss(counting()).item()).toBe(loss.item());
    });
  });

  it('says how long a stretch is, in terms of the usual one', () => {
    const lengths = [...task.pass('train', { size: 2 })].map(({ length, count }) => [length, count]);
    expect(lengths).toEqual([...new Array(7).fill([1, 10]), [0.8, 8]]);
  });
});
