import { noGrad, scope, setThreads, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { ChoiceHead, type Mind, SubsetHead } from '../../src/controller/heads.js';
import type { ChoiceQuestion, SubsetQuestion } from '../../src/space/language.js';

setThreads(1);

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const close = (values: readonly number[], expected: readonly number[]) => {
  expect(values.length).toBe(expected.length);
  for (const [index, value] of values.entries()) expect(value).toBeCloseTo(expected[index]!, 5);
};

const subsetOf = (anchors: readonly number[], size?: number): SubsetQuestion => ({
  kind: 'subset',
  name: 'inputs',
  path: 'inputs',
  anchors,
  size,
});

describe('attention over anchor points', () => {
  // W_prev = [[1, 2], [0, -1]], W_curr = [[0.5, 0], [1, 1]], v = [2, -3], h_i = [0.2, -0.4].
  function attention(): { head: SubsetHead; mind: Mind } {
    const head = new SubsetHead(2);
    noGrad(() => {
      head.previous.weight.copy_(
        tensor([
          [1, 2],
          [0, -1],
        ]),
      );
      head.current.weight.copy_(
        tensor([
          [0.5, 0],
          [1, 1],
        ]),
      );
      head.v.weight.copy_(tensor([[2, -3]]));
    });
    const anchors = [
      [0.1, 0.3],
      [5, 5],
      [-0.6, 0.2],
      [0.4, 0.4],
    ].map((h) => tensor([h]));
    return { head, mind: { hidden: tensor([[0.2, -0.4]]), anchors } };
  }
  // W_curr h_i = [0.1, -0.2]. Anchors 0, 2 and 3 are offered:
  const logits = [
    // W_prev [0.1, 0.3] = [0.7, -0.3]
    2 * Math.tanh(0.8) - 3 * Math.tanh(-0.5),
    // W_prev [-0.6, 0.2] = [-0.2, -0.2]
    2 * Math.tanh(-0.1) - 3 * Math.tanh(-0.4),
    // W_prev [0.4, 0.4] = [1.2, -0.4]
    2 * Math.tanh(1.3) - 3 * Math.tanh(-0.6),
  ] as const;
  const [first, second, third] = logits.map(sigmoid) as [number, number, number];

  it('takes each with P = sigmoid(v^T tanh(W_prev h_j + W_curr h_i)), apart from the others', () => {
    scope(() => {
      const { head, mind } = attention();
      const log = (answer: readonly number[]) =>
        head.score(subsetOf([0, 2, 3]), mind, [answer]).logProbability.toNumbers();
      close(log([]), [Math.log((1 - first) * (1 - second) * (1 - third))]);
      close(log([1]), [Math.log((1 - first) * second * (1 - third))]);
      close(log([0, 2]), [Math.log(first * (1 - second) * third)]);
      const { entropy } = head.score(subsetOf([0, 2, 3]), mind, [[]]);
      const bits = [first, second, third].map((p) => -p * Math.log(p) - (1 - p) * Math.log(1 - p));
      close(entropy.toNumbers(), [bits.reduce((total, bit) => total + bit)]);
    });
  });

  it('takes a fixed number with probabilities in proportion to the products of their odds', () => {
    scope(() => {
      const { head, mind } = attention();
      const [a, b, c] = logits.map(Math.exp) as [number, number, number];
      const log = (answer: readonly number[]) =>
        head.score(subsetOf([0, 2, 3], 2), mind, [answer]).logProbability.toNumbers();
      const all = a * b + a * c + b * c;
      close(log([0, 1]), [Math.log((a * b) / all)]);
      close(log([0, 2]), [Math.log((a * c) / all)]);
      close(log([1, 2]), [Math.log((b * c) / all)]);
    });
  });

  it('has no doubt where there is nothing to choose', () => {
    scope(() => {
      const { head, mind } = attention();
      for (const [question, answer] of [
        [subsetOf([]), []],
        [subsetOf([0, 1], 2), [0, 1]],
        [subsetOf([0, 1], 0), []],
      ] as const) {
        const { logProbability, entropy } = head.score(question, mind, [answer]);
        close(logProbability.toNumbers(), [0]);
        close(entropy.toNumbers(), [0]);
      }
    });
  });

  it('is followed by the mean of the anchors taken, zeros where none is', () => {
    scope(() => {
      const { head, mind } = attention();
      const next = (anchors: readonly number[], answer: readonly number[]) =>
        head.nextInput(subsetOf(anchors), mind, [answer]).toNumbers();
      close(next([0, 2, 3], [0, 2]), [0.25, 0.35]);
      close(next([0, 2, 3], [1]), [-0.6, 0.2]);
      close(next([0, 2, 3], []), [0, 0]);
      close(next([], []), [0, 0]);
    });
  });
});

describe('a choice', () => {
  const question: ChoiceQuestion = { kind: 'choice', name: 'op', path: 'op', options: ['a', 'b', 'c'] };

  it('is a softmax of W h + b, and followed by the embedding of the answer', () => {
    scope(() => {
      const head = new ChoiceHead(3, 2);
      noGrad(() => {
        head.classifier.weight.copy_(
          tensor([
            [1, 0],
            [0, 2],
            [1, 1],
          ]),
        );
        head.classifier.bias!.copy_(tensor([0, 0.5, -1]));
        head.embedding.weight.copy_(
          tensor([
            [1, 2],
            [3, 4],
            [5, 6],
          ]),
        );
      });
      const mind: Mind = {
        hidden: tensor([
          [0.3, -0.2],
          [1, 1],
        ]),
        anchors: [],
      };
      const odds = [
        [Math.exp(0.3), Math.exp(0.1), Math.exp(-0.9)],
        [Math.exp(1), Math.exp(2.5), Math.exp(1)],
      ] as const;
      const p = odds.map((row) => row.map((odd) => odd / row.reduce((total, one) => total + one)));
      const { logProbability, entropy } = head.score(question, mind, [2, 1]);
      close(logProbability.toNumbers(), [Math.log(p[0]![2]!), Math.log(p[1]![1]!)]);
      close(
        entropy.toNumbers(),
        p.map((row) => -row.reduce((total, one) => total + one * Math.log(one), 0)),
      );
      expect(head.nextInput(question, mind, [2, 1]).toNumbers()).toEqual([5, 6, 3, 4]);
    });
  });
});
