import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/random/random.js';
import { firstAnswer, isLegal, nextAnswer, sampleAnswer } from '../../src/space/answers.js';
import type { Answer, Question } from '../../src/space/language.js';
import { countNearAnswers, nearAnswers, sampleNearAnswer } from '../../src/space/near-answers.js';

const place = { name: 'inputs', path: 'inputs' };

function subsetOf(n: number, size?: number): Question {
  return { kind: 'subset', ...place, anchors: Array.from({ length: n }, (_, i) => i), size };
}

const choice: Question = { kind: 'choice', ...place, options: ['a', 'b', 'c', 'd'] };

/** A question with one of its answers. */
const answered = fc
  .record({ n: fc.integer({ min: 0, max: 7 }), seed: fc.nat(), sized: fc.boolean() })
  .map(({ n, seed, sized }): [Question, readonly number[]] => {
    const random = Random.of(seed, 'answered');
    const question = subsetOf(n, sized ? random.below(n + 1) : undefined);
    return [question, sampleAnswer(question, random) as number[]];
  });

describe('the answers near a given one', () => {
  it('are all other options of a choice', () => {
    expect([...nearAnswers(choice, 2)]).toEqual([0, 1, 3]);
    expect(countNearAnswers(choice)).toBe(3);
  });

  it('are a subset with one item more or less', () => {
    expect([...nearAnswers(subsetOf(4), [1, 3])]).toEqual([[0, 1, 3], [3], [1, 2, 3], [1]]);
    expect([...nearAnswers(subsetOf(0), [])]).toEqual([]);
  });

  it('are a subset of fixed size with one item exchanged', () => {
    expect([...nearAnswers(subsetOf(4, 2), [1, 3])]).toEqual([
      [0, 3],
      [2, 3],
      [0, 1],
      [1, 2],
    ]);
    expect([...nearAnswers(subsetOf(3, 3), [0, 1, 2])]).toEqual([]);
    expect([...nearAnswers(subsetOf(3, 0), [])]).toEqual([]);
  });

  it('are those with the least difference among all, and as many as are counted', () => {
    fc.assert(
      fc.property(answered, ([question, answer]) => {
        const expected = new Set<string>();
        for (
          let other: Answer | undefined = firstAnswer(question);
          other;
          other = nextAnswer(question, other)
        ) {
          const items = other as readonly number[];
          const moved = [
            ...answer.filter((item) => !items.includes(item)),
            ...items.filter((item) => !answer.includes(item)),
          ];
          const least = (question as { size?: number }).size === undefined ? 1 : 2;
          if (moved.length === least) expected.add(JSON.stringify(items));
        }
        const near = [...nearAnswers(question, answer)];
        expect(new Set(near.map((one) => JSON.stringify(one)))).toEqual(expected);
        expect(near.length).toBe(expected.size);
        expect(countNearAnswers(question)).toBe(expected.size);
        expect(near.every((one) => isLegal(question, one))).toBe(true);
      }),
    );
  });

  it.each<[Question, Answer]>([
    [choice, 2],
    [subsetOf(4), [1, 3]],
    [subsetOf(5, 2), [0, 4]],
  ])('are drawn uniformly: %j', (question, answer) => {
    const random = Random.of(5, 'near');
    const counts = new Map([...nearAnswers(question, answer)].map((near) => [JSON.stringify(near), 0]));
    const kinds = counts.size;
    for (let i = 0; i < 1000 * kinds; i++) {
      const key = JSON.stringify(sampleNearAnswer(question, answer, random));
      counts.set(key, counts.get(key)! + 1);
    }
    // Chi squared with k - 1 degrees of freedom has mean k - 1 and variance 2 (k - 1).
    const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(counts.size).toBe(kinds);
    expect(chi2).toBeLessThan(kinds - 1 + 4 * Math.sqrt(2 * (kinds - 1)));
  });

  it('come one at a time and are counted at once, for 500 of 1,000 items', () => {
    const question = subsetOf(1000, 500);
    const answer = sampleAnswer(question, Random.of(1, 'large'));
    expect(countNearAnswers(question)).toBe(250_000);
    const first = nearAnswers(question, answer).next().value as number[];
    expect(isLegal(question, first)).toBe(true);
    const drawn = sampleNearAnswer(question, answer, Random.of(2, 'large'));
    expect(isLegal(question, drawn)).toBe(true);
    expect(drawn).not.toEqual(answer);
  });
});
