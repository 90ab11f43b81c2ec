import { describe, expect, it } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { Space } from '../../src/space/space.js';
import { asha } from '../../src/strategies/asha.js';
import { bananas } from '../../src/strategies/bananas.js';
import { EnqueuedStrategy } from '../../src/strategies/enqueued-strategy.js';
import { evolution } from '../../src/strategies/evolution.js';
import { createStrategy } from '../../src/strategies/guarded-strategy.js';
import { localSearch } from '../../src/strategies/local-search.js';
import { random } from '../../src/strategies/random.js';
import type { AnyStrategyDefinition, Proposal } from '../../src/strategies/strategy.js';
import { branching } from '../space/tiny-spaces.js';
import { describeStrategy } from './conformance.js';
import { ok } from './outcomes.js';

const space = Space.configure(branching);
const first = [
  [0, 1],
  [1, 0, 1],
];
const enqueued = (definition: AnyStrategyDefinition): AnyStrategyDefinition => ({
  ...definition,
  name: `enqueued ${definition.name}`,
  create: (start) => new EnqueuedStrategy(createStrategy(definition, start), first),
});
describeStrategy(enqueued(evolution), space, { options: { population: 3, sample: 2 } });

describe('a search that tries given architectures first', () => {
  const begin = (definition: AnyStrategyDefinition, options: object = {}) =>
    new EnqueuedStrategy(
      createStrategy(definition, { space, seed: 1, options, objectives: [accuracy] }),
      first,
    );
  const answersOf = (strategy: EnqueuedStrategy) => (strategy.ask() as Proposal).answers;
  const play = (strategy: EnqueuedStrategy, values: readonly number[]) =>
    values.map((value, trial) => {
      const answers = answersOf(strategy);
      strategy.tell({ trial, answers, outcome: ok(value) });
      return answers;
    });

  it('proposes them before the strategy is asked', () => {
    expect(play(begin(random), [0.1, 0.2])).toEqual(first);
  });

  it('informs random search, which does not propose them again', () => {
    const strategy = begin(random);
    const all = play(strategy, Array(14).fill(0.5)).map(String);
    expect(new Set(all).size).toBe(14);
    expect(strategy.ask()).toBe('finished');
  });

  it('gives evolution its first parents', () => {
    const strategy = begin(evolution, { population: 1, sample: 1 });
    play(strategy, [0.1, 0.9]);
    // The population of one: the next is drawn at random, all later ones are mutants of the last.
    expect(strategy.snapshot!().json).toMatchObject({
      strategy: { strategy: { population: [{ answers: first[1], goodness: 0.9 }] } },
    });
  });

  it('lets local search climb from the best of them', () => {
    const strategy = begin(localSearch);
    play(strategy, [0.1, 0.9]);
    const neighbours = [...space.neighbours(first[1]!)].map(String);
    expect(neighbours).toContain(String(answersOf(strategy)));
  });

  it('gives the predictor of bananas its first examples', () => {
    const strategy = begin(bananas, { initial: 2, epochs: 1 });
    play(strategy, [0.1, 0.9]);
    answersOf(strategy);
    expect(strategy.snapshot!().json).toMatchObject({ strategy: { strategy: { trainings: 1 } } });
  });

  it('goes on with the trials of the search that the strategy means', () => {
    const strategy = begin(asha, { minEpochs: 1, maxEpochs: 4, eta: 2, configurations: 4 });
    play(strategy, [0.1, 0.9]);
    const proposals: Proposal[] = [];
    for (let trial = 2; trial < 6; trial++) {
      const asked = strategy.ask() as Proposal;
      proposals.push(asked);
      strategy.tell({ ...asked, trial, outcome: ok(0.5) });
    }
    const going = proposals.findIndex(({ continues }) => continues !== undefined);
    expect(going).toBeGreaterThan(0);
    const { continues, answers } = proposals[going]!;
    expect(proposals[(continues as number) - 2]!.answers).toEqual(answers);
  });
});
