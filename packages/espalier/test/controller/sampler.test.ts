import { scope, setThreads } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { Controller } from '../../src/controller/controller.js';
import type { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import type { AnsweredQuestion } from '../../src/space/trace.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { branching } from '../space/tiny-spaces.js';
import { mixed } from './mixed-space.js';

setThreads(1);

/** The outcomes that take one random number each: a choice, a subset of fixed size, or whether an anchor is taken. */
function decisions({ question, answer }: AnsweredQuestion): readonly (string | boolean)[] {
  if (question.kind === 'choice') return question.options.length > 1 ? [String(answer).padStart(3)] : [];
  const members = answer as readonly number[];
  if (question.anchors.length === 0) return [];
  if (question.size !== undefined) return [members.map((member) => String(member).padStart(3)).join()];
  return question.anchors.map((_, index) => members.includes(index));
}

/** For each decision sequence, the intervals of random numbers that produce it, according to the controller's scores. */
function drawnFor(space: Space, controller: Controller) {
  const sequences = [...space.enumerate()];
  const probabilities = controller
    .score(sequences.map((sequence) => space.trace(sequence)))
    .logProbability.toNumbers()
    .map(Math.exp);
  const made = sequences.map((sequence) => space.trace(sequence).flatMap(decisions));
  const begins = (start: readonly unknown[]) =>
    made.reduce(
      (sum, own, place) =>
        start.every((decision, index) => own[index] === decision) ? sum + probabilities[place]! : sum,
      0,
    );
  return sequences.map((sequence, place) => ({
    sequence,
    between: made[place]!.map((decision, index) => {
      const before = made[place]!.slice(0, index);
      const of = (other: string | boolean) => begins([...before, other]) / begins(before);
      if (typeof decision === 'boolean') return decision ? [0, of(true)] : [of(true), 1];
      const lesser = new Set(
        made.flatMap((own) =>
          before.every((known, at) => own[at] === known) && own[index]! < decision ? [own[index]!] : [],
        ),
      );
      const low = [...lesser].reduce((sum, other) => sum + of(other), 0);
      return [low, low + of(decision)];
    }) as [number, number][],
  }));
}

describe('a sampler', () => {
  it.each([
    Space.configure(mixed),
    Space.configure(branching, { deepest: 2 }),
    Space.configure(zophCnn, { layers: 2, filterHeights: [1, 3], filterWidths: [1], filters: [24, 36] }),
  ])('samples with the probabilities of the controller, to 8 digits, at each question of $name', (space) => {
    scope(() => {
      const controller = new Controller({ hidden: 6, layers: 2, initialRange: 0.6, seed: 1 });
      const all = [...space.enumerate()].map((sequence) => space.trace(sequence));
      controller.score(all);
      controller.to({ dtype: 'float64' });
      const sampler = controller.sampler();
      for (const { sequence, between } of drawnFor(space, controller))
        for (const inside of [1e-8, 1 - 1e-8]) {
          const numbers = between.map(([low, high]) => low + inside * (high - low));
          const random = { uniform: () => numbers.shift() } as unknown as Random;
          expect(sampler.sample(space, random)).toEqual(sequence);
          expect(numbers).toEqual([]);
        }
    });
  });

  it('takes the last answer where rounding leaves a random number above all probabilities', () => {
    scope(() => {
      const space = Space.configure(zophCnn, { layers: 1, filterHeights: [1, 3, 5] });
      const { uniform } = { uniform: () => 1 };
      const sampler = new Controller({ hidden: 6, layers: 2, initialRange: 0.6, seed: 1 }).sampler();
      const answers = sampler.sample(space, { uniform } as unknown as Random);
      const questions = space.trace(answers).map(({ question }) => question);
      expect(
        questions.map((question) => (question.kind === 'choice' ? question.options.length - 1 : [])),
      ).toEqual(answers);
    });
  });

  it('keeps using the weights that it was created with', () => {
    scope(() => {
      const space = Space.configure(mixed);
      const controller = new Controller({ hidden: 6, layers: 2, initialRange: 0.6, seed: 1 });
      const half = () => ({ uniform: () => 0.5 }) as unknown as Random;
      const sampler = controller.sampler();
      const before = sampler.sample(space, half());
      const other = new Controller({ hidden: 6, layers: 2, initialRange: 0.6, seed: 7 });
      const changed = other.sampler().sample(space, half());
      expect(changed).not.toEqual(before);
      for (const name of Object.keys(other.heads))
        if (controller.heads[name] === undefined) controller.addHead(name);
      for (const name of Object.keys(controller.heads))
        if (other.heads[name] === undefined) other.addHead(name);
      controller.loadStateDict(other.stateDict());
      expect(sampler.sample(space, half())).toEqual(before);
      expect(controller.sampler().sample(space, half())).toEqual(changed);
    });
  });
});
