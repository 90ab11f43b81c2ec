import { noGrad, scope, setThreads, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import {
  type Asked,
  ChoiceHead,
  inputsAfter,
  type Scored,
  SubsetHead,
  scoreChoices,
  scoreSubsets,
} from '../../src/controller/heads.js';
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
  function attention() {
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
    // Outputs at six steps, [6, 1, 2]: four of them are anchor points (steps 0, 1, 2 and 4), and the last is h_i.
    const outputs = tensor([[[0.1, 0.3]], [[5, 5]], [[-0.6, 0.2]], [[9, 9]], [[0.4, 0.4]], [[0.2, -0.4]]]);
    const asked = (anchors: readonly number[], answer: readonly number[], size?: number) => [
      { question: subsetOf(anchors, size), time: 5, head, answers: [answer] } satisfies Asked<SubsetQuestion>,
    ];
    const score = (anchors: readonly number[], answer: readonly number[], size?: number) =>
      scoreSubsets(head, asked(anchors, answer, size), outputs, [0, 1, 2, 4]);
    return { head, outputs, asked, score };
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

  it('takes each anchor independently with P = sigmoid(v^T tanh(W_prev h_j + W_curr h_i))', () => {
    scope(() => {
      const { score } = attention();
      const log = (answer: readonly number[]) => score([0, 2, 3], answer)[0]!.logProbability.toNumbers();
      close(log([]), [Math.log((1 - first) * (1 - second) * (1 - third))]);
      close(log([1]), [Math.log((1 - first) * second * (1 - third))]);
      close(log([0, 2]), [Math.log(first * (1 - second) * third)]);
      const [{ entropy }] = score([0, 2, 3], []) as [Scored];
      const bits = [first, second, third].map((p) => -p * Math.log(p) - (1 - p) * Math.log(1 - p));
      close(entropy.toNumbers(), [bits.reduce((total, bit) => total + bit)]);
    });
  });

  it('takes a fixed number of anchors with probability proportional to the product of their odds', () => {
    scope(() => {
      const { score } = attention();
      const [a, b, c] = logits.map(Math.exp) as [number, number, number];
      const log = (answer: readonly number[]) => score([0, 2, 3], answer, 2)[0]!.logProbability.toNumbers();
      const all = a * b + a * c + b * c;
      close(log([0, 1]), [Math.log((a * b) / all)]);
      close(log([0, 2]), [Math.log((a * c) / all)]);
      close(log([1, 2]), [Math.log((b * c) / all)]);
    });
  });

  it('scores several subsets of fixed and free size together as it scores each alone', () => {
    scope(() => {
      const { head, outputs, asked, score } = attention();
      const points = [
        ...asked([0, 2, 3], [1]),
        ...asked([1], [0]),
        ...asked([0, 2], [1], 1),
        ...asked([], []),
      ];
      const sum = (scored: readonly Scored[], part: keyof Scored) =>
        scored.reduce((total, one) => total + one[part].item(), 0);
      const together = scoreSubsets(head, points, outputs, [0, 1, 2, 4]);
      const alone = [...score([0, 2, 3], [1]), ...score([1], [0]), ...score([0, 2], [1], 1)];
      expect(alone).toHaveLength(3);
      for (const part of ['logProbability', 'entropy'] as const)
        close([sum(together, part)], [sum(alone, part)]);
    });
  });

  it('has zero entropy if there is nothing to choose', () => {
    scope(() => {
      const { score } = attention();
      expect(score([], [])).toEqual([]);
      for (const [anchors, answer, size] of [
        [[0, 1], [0, 1], 2],
        [[0, 1], [], 0],
      ] as const) {
        const [{ logProbability, entropy }] = score(anchors, answer, size) as [Scored];
        close(logProbability.toNumbers(), [0]);
        close(entropy.toNumbers(), [0]);
      }
    });
  });

  it('feeds the mean of the selected anchors to the next step, or zeros if none is selected', () => {
    scope(() => {
      const { head } = attention();
      const start = tensor([[7, 8]]);
      const point = (time: number, anchors: readonly number[], ...answers: (readonly number[])[]) => ({
        question: subsetOf(anchors),
        time,
        head,
        answers,
      });
      const asked = [
        point(0, [], [], []),
        point(1, [0], [0], []),
        point(2, [0, 1], [0, 1], [1]),
        point(3, [2], [0], [0]),
      ];
      const { given, recalled } = inputsAfter(asked, start, [0, 1, 2, 3]);
      expect(given.toNumbers()).toEqual([7, 8, 7, 8, ...new Array(12).fill(0)]);
      expect(recalled.shape).toEqual([4, 2, 4]);
      const nothing = [0, 0, 0, 0];
      expect(recalled.toNumbers()).toEqual(
        [nothing, nothing, nothing, nothing, [1, 0, 0, 0], nothing, [0.5, 0.5, 0, 0], [0, 1, 0, 0]].flat(),
      );
    });
  });
});

describe('a choice', () => {
  const question: ChoiceQuestion = { kind: 'choice', name: 'op', path: 'op', options: ['a', 'b', 'c'] };

  it('is a softmax of W h + b, and feeds the embedding of the answer to the next step', () => {
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
      const outputs = tensor([
        [
          [8, 8],
          [9, 9],
        ],
        [
          [0.3, -0.2],
          [1, 1],
        ],
      ]);
      const asked = (time: number) => ({ question, time, head, answers: [2, 1] });
      const odds = [
        [Math.exp(0.3), Math.exp(0.1), Math.exp(-0.9)],
        [Math.exp(1), Math.exp(2.5), Math.exp(1)],
      ] as const;
      const p = odds.map((row) => row.map((odd) => odd / row.reduce((total, one) => total + one)));
      const { logProbability, entropy } = scoreChoices([asked(1)], outputs);
      close(logProbability.toNumbers(), [Math.log(p[0]![2]!), Math.log(p[1]![1]!)]);
      close(
        entropy.toNumbers(),
        p.map((row) => -row.reduce((total, one) => total + one * Math.log(one), 0)),
      );
      const { given, recalled } = inputsAfter([asked(0), asked(1)], tensor([[7, 8]]), []);
      expect(given.toNumbers()).toEqual([7, 8, 7, 8, 5, 6, 3, 4]);
      expect(recalled.toNumbers()).toEqual(new Array(8).fill(0));
    });
  });
});
