import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random/random.js';
import {
  answerFor,
  countAnswers,
  describeAnswers,
  describeValues,
  firstAnswer,
  isLegal,
  nextAnswer,
  sampleAnswer,
  valueFor,
} from '../../src/space/answers.js';
import type { Answer, Question } from '../../src/space/language.js';

const place = { name: 'inputs', path: 'inputs' };

function subsetOf(n: number, size?: number): Question {
  return { kind: 'subset', ...place, anchors: Array.from({ length: n }, (_, i) => i), size };
}

function allAnswers(question: Question): Answer[] {
  const all = [];
  for (let answer: Answer | undefined = firstAnswer(question); answer !== undefined; ) {
    all.push(answer);
    answer = nextAnswer(question, answer);
  }
  return all;
}

describe('the answers to a question', () => {
  it.each<[Question, unknown[], unknown[]]>([
    [
      { kind: 'choice', ...place, options: ['a', 'b', 'c'] },
      [0, 1, 2],
      [3, -1, 0.5, Number.NaN, '0', 1n, null, undefined, [0]],
    ],
    [
      subsetOf(3),
      [[], [0], [2], [0, 2], [0, 1, 2]],
      [0, [3], [-1], [0.5], ['0'], [0, 0], [1, 0], [0, 1, 2, 3], null],
    ],
    [
      subsetOf(3, 2),
      [
        [0, 1],
        [1, 2],
      ],
      [[], [0], [0, 1, 2], [1, 1], [2, 0]],
    ],
  ])('are legal or not: %j', (question, legal, illegal) => {
    for (const answer of legal) expect(isLegal(question, answer), JSON.stringify(answer)).toBe(true);
    for (const answer of illegal) expect(isLegal(question, answer), String(answer)).toBe(false);
  });

  it('are described for messages', () => {
    const choice = (count: number): Question => ({
      kind: 'choice',
      ...place,
      options: [...Array(count).keys()],
    });
    expect(describeAnswers(choice(3))).toBe('0 to 2, for 0, 1, 2');
    expect(describeValues(choice(20))).toBe(`${[...Array(20).keys()].join(', ')}`);
    expect(describeValues(choice(21))).toBe(`${[...Array(20).keys()].join(', ')}, ... (21 in all)`);
    for (const describe of [describeAnswers, describeValues]) {
      expect(describe(subsetOf(3))).toBe('a list of different ascending numbers from 0 to 2');
      expect(describe(subsetOf(3, 2))).toBe('a list of 2 different ascending numbers from 0 to 2');
      expect(describe(subsetOf(3, 0))).toBe('the empty list');
      expect(describe(subsetOf(0))).toBe('the empty list');
    }
  });

  it('stand for values of an architecture', () => {
    const choice: Question = { kind: 'choice', ...place, options: ['a', { b: [1] }] };
    expect(valueFor(choice, 1)).toEqual({ b: [1] });
    expect(answerFor(choice, { b: [1] })).toBe(1);
    expect(answerFor(choice, 'a')).toBe(0);
    expect(answerFor(choice, 'b')).toBeUndefined();
    const taken = [0, 2];
    expect(valueFor(subsetOf(3), taken)).toBe(taken);
    expect(answerFor(subsetOf(3), taken)).toEqual(taken);
    expect(answerFor(subsetOf(3), taken)).not.toBe(taken);
    expect(answerFor(subsetOf(2), taken)).toBeUndefined();
  });

  it('come in lexicographic order: subsets of any size', () => {
    expect(allAnswers(subsetOf(3))).toEqual([[], [0], [0, 1], [0, 1, 2], [0, 2], [1], [1, 2], [2]]);
    expect(allAnswers(subsetOf(0))).toEqual([[]]);
  });

  it('come in lexicographic order: subsets of one size', () => {
    expect(allAnswers(subsetOf(4, 2))).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
      [2, 3],
    ]);
    expect(allAnswers(subsetOf(3, 0))).toEqual([[]]);
    expect(allAnswers(subsetOf(3, 3))).toEqual([[0, 1, 2]]);
  });

  it('are counted as many as are listed', () => {
    for (let n = 0; n <= 8; n++) {
      for (const size of [undefined, ...Array(n + 1).keys()]) {
        const answers = allAnswers(subsetOf(n, size));
        expect(countAnswers(subsetOf(n, size))).toBe(BigInt(answers.length));
        expect(answers.every((answer) => isLegal(subsetOf(n, size), answer))).toBe(true);
      }
    }
    expect(countAnswers(subsetOf(60, 30))).toBe(118264581564861424n);
    expect(countAnswers({ kind: 'choice', ...place, options: ['a', 'b', 'c'] })).toBe(3n);
  });

  it.each([
    subsetOf(4),
    subsetOf(5, 2),
    { kind: 'choice', ...place, options: ['a', 'b', 'c'] } satisfies Question,
  ])('are drawn uniformly: %j', (question) => {
    const random = Random.of(3, 'even');
    const answers = allAnswers(question);
    const counts = new Map(answers.map((answer) => [JSON.stringify(answer), 0]));
    const draws = 1000 * answers.length;
    for (let i = 0; i < draws; i++) {
      const key = JSON.stringify(sampleAnswer(question, random));
      counts.set(key, counts.get(key)! + 1);
    }
    // Chi squared with k - 1 degrees of freedom: its mean is k - 1, its variance 2 (k - 1).
    const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    const freedom = answers.length - 1;
    expect(counts.size).toBe(answers.length);
    expect(chi2).toBeLessThan(freedom + 4 * Math.sqrt(2 * freedom));
  });

  it('of a subset of 500 out of 1,000 are drawn and counted at once', () => {
    const question = subsetOf(1000, 500);
    const answer = sampleAnswer(question, Random.of(1, 'large')) as number[];
    expect(isLegal(question, answer)).toBe(true);
    // The hypergeometric number of items below 500 has mean 250 and standard deviation 7.9.
    expect(Math.abs(answer.filter((item) => item < 500).length - 250)).toBeLessThan(4 * 7.9);
    // C(1000, 500) = 1000! / 500!^2.
    const factorial = (n: number) =>
      Array.from({ length: n }, (_, i) => BigInt(i + 1)).reduce((a, b) => a * b);
    expect(countAnswers(question)).toBe(factorial(1000) / factorial(500) ** 2n);
    expect(countAnswers(subsetOf(1000, 999))).toBe(1000n);
    expect(countAnswers(subsetOf(1000))).toBe(2n ** 1000n);
  });
});
