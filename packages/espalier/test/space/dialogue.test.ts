import { describe, expect, expectTypeOf, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';
import { sampleAnswer } from '../../src/space/answers.js';
import { choose } from '../../src/space/language.js';
import { Space } from '../../src/space/space.js';
import { branching, cell, forced, nested, spaceOf } from './tiny-spaces.js';

describe('a dialogue', () => {
  it('asks the questions of a space one by one and ends with its architecture', () => {
    const space = Space.configure(branching);
    const dialogue = space.begin();
    expect(dialogue.question).toEqual({ kind: 'choice', name: 'depth', path: 'depth', options: [1, 2, 3] });
    expect(dialogue.answers).toEqual([]);
    dialogue.answer(1);
    expect(dialogue.question?.path).toBe('layers.0.op');
    dialogue.answer(0);
    expect(dialogue.answers).toEqual([1, 0]);
    expect(dialogue.question?.path).toBe('layers.1.op');
    dialogue.answer(1);
    expect(dialogue.question).toBeUndefined();
    expect(dialogue.answers).toEqual([1, 0, 1]);
    expectTypeOf(dialogue.architecture).toEqualTypeOf<{ depth: number; layers: { op: string }[] }>();
    expect(dialogue.architecture).toEqual({ depth: 2, layers: [{ op: 'conv' }, { op: 'pool' }] });
  });

  it.each([Space.configure(cell), Space.configure(nested, { most: 3 }), Space.configure(forced)] as Space[])(
    'with random answers has those of a sample: space %#',
    (space) => {
      for (let seed = 0; seed < 20; seed++) {
        const random = Random.of(seed, 'answers');
        const dialogue = space.begin();
        for (let question = dialogue.question; question !== undefined; question = dialogue.question)
          dialogue.answer(sampleAnswer(question, random));
        expect(dialogue.answers).toEqual(space.sample(Random.of(seed, 'answers')));
        expect(dialogue.architecture).toEqual(space.decode(dialogue.answers));
      }
    },
  );

  it('begins after given answers', () => {
    const space = Space.configure(branching);
    const begun = space.begin([2, 1]);
    expect(begun.question?.path).toBe('layers.1.op');
    expect(space.begin([0, 1]).architecture).toEqual({ depth: 1, layers: [{ op: 'pool' }] });
    expect(() => space.begin([0, 2])).toThrow("space branching: the answer to 'layers.0.op' is 2; ");
    expect(() => space.begin([0, 1, 7, 8])).toThrow(
      new InputError('space branching: there are 4 answers to 2 questions; the first too many is 7'),
    );
  });

  it('keeps a question open after an answer that is not allowed', () => {
    const dialogue = Space.configure(branching).begin();
    expect(() => dialogue.answer(3)).toThrow(
      new InputError("space branching: the answer to 'depth' is 3; allowed: 0 to 2, for 1, 2, 3"),
    );
    expect(() => dialogue.answer([0])).toThrow(InputError);
    expect(dialogue.answers).toEqual([]);
    dialogue.answer(0);
    dialogue.answer(1);
    expect(dialogue.architecture).toEqual({ depth: 1, layers: [{ op: 'pool' }] });
  });

  it('has no architecture before its last answer, and no answer after it', () => {
    const dialogue = Space.configure(branching).begin([0]);
    expect(() => dialogue.architecture).toThrow(
      new Error("space branching: there is no architecture before 'layers.0.op' has an answer"),
    );
    dialogue.answer(0);
    expect(() => dialogue.answer(1)).toThrow(
      new Error('space branching asks nothing more; 1 is one answer too many'),
    );
  });

  it('does not go on after its program threw an error', () => {
    const space = spaceOf(function* () {
      const first = yield* choose('first', [1, 2]);
      if (first === 2) throw new Error('no second option');
      return { first };
    });
    const dialogue = space.begin();
    expect(() => dialogue.answer(1)).toThrow('no second option');
    for (const use of [() => dialogue.question, () => dialogue.answer(0), () => dialogue.architecture])
      expect(use).toThrow(new Error('space test: its program threw an error and cannot go on'));
  });

  it('says if the program loses an answer', () => {
    const space = spaceOf(function* () {
      return { b: yield* choose('a', [1, 2]) };
    });
    expect(() => space.begin([0]).architecture).toThrow("the answer to 'a' was 1, but in the architecture");
  });

  it('does not see answers that the caller adds to its list', () => {
    const dialogue = Space.configure(branching).begin([0]);
    (dialogue.answers as number[]).push(7);
    expect(dialogue.answers).toEqual([0]);
  });
});
