import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random/random.js';
import {
  anotherAnswer,
  countAnswers,
  firstAnswer,
  isLegal,
  nextAnswer,
  sampleAnswer,
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
  it('come in lexical order: subsets of any size', () => {
    expect(allAnswers(subsetOf(3))).toEqual([[], [0], [0, 1], [0, 1, 2], [0, 2], [1], [1, 2], [2]]);
    expect(allAnswers(subsetOf(0))).toEqual([[]]);
  });

  it('come in lexical order: subsets of one size', () => {
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

  it('are counted as they are listed', () => {
    for (let n = 0; n <= 8; n++) {
      for (const size of [undefined, ...Array(n + 1).keys()]) {
        const answers = allAnswers(subsetOf(n, size));
        expect(countAnswers(subsetOf(n, size))).toBe(BigInt(answers.length));
        expect(answers.every((answer) => isLegal(subsetOf(n, size), answer))).toBe(true);
      }
    }
    expect(countAnswers(subsetOf(60, 30))).toBe(118264581564861424n);
  });

  it.each([
    subsetOf(4),
    subsetOf(5, 2),
    { kind: 'choice', ...place, options: ['a', 'b', 'c'] } satisfies Question,
  ])('are drawn evenly: %j', (question) => {
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

  it('have neighbours: one item more or less, or one exchanged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(), fc.boolean(), (n, seed, sized) => {
        const random = Random.of(seed, 'neighbour');
        const question = subsetOf(n, sized ? random.below(n + 1) : undefined);
        fc.pre(countAnswers(question) > 1n);
        const answer = sampleAnswer(question, random) as number[];
        const other = anotherAnswer(question, answer, random) as number[];
        expect(isLegal(question, other)).toBe(true);
        const moved = [...answer, ...other].filter(
          (item) => !(answer.includes(item) && other.includes(item)),
        );
        expect(moved.length).toBe(sized ? 2 : 1);
      }),
    );
  });

  it('reach every other option of a choice in one step', () => {
    const question: Question = { kind: 'choice', ...place, options: [1, 2, 3, 4] };
    const random = Random.of(1, 'step');
    const reached = new Set(Array.from({ length: 100 }, () => anotherAnswer(question, 2, random)));
    expect(reached).toEqual(new Set([0, 1, 3]));
  });
});
