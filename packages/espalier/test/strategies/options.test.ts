import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { type AnySpaceDefinition, Space } from '../../src/space/space.js';
import { nasnet } from '../../src/spaces/nasnet.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { zophRnn } from '../../src/spaces/zoph-rnn.js';
import { asha } from '../../src/strategies/asha.js';
import { bananas } from '../../src/strategies/bananas.js';
import { evolution } from '../../src/strategies/evolution.js';
import { hyperband } from '../../src/strategies/hyperband.js';
import { localSearch } from '../../src/strategies/local-search.js';
import { ppo } from '../../src/strategies/ppo.js';
import { random } from '../../src/strategies/random.js';
import { reinforce } from '../../src/strategies/reinforce.js';
import { sha } from '../../src/strategies/sha.js';
import type { AnyStrategyDefinition } from '../../src/strategies/strategy.js';
import { above0, count, flag, from0, from0Below1, hasOptions } from '../tasks/option-table.js';

const schemaOf = ({ options }: AnyStrategyDefinition) => options as unknown as z.ZodType<object>;

/** Without `minEpochs` and `maxEpochs`, which limit each other. */
const ofRungs = (eta: number) => ({ eta: count(eta, 2) });
const ofParameterServers = {
  replicas: count(1),
  shards: count(1),
  accumulate: count(1),
  maxStaleness: [null, [null, 0, 1e6], [-1, 1.5]] as const,
};
const configurations = [undefined, [1, 1e6], [0, 1.5]] as const;

describe('the options of random search', () => {
  hasOptions(schemaOf(random), { unique: flag(true) });
});

describe('the options of REINFORCE', () => {
  hasOptions(schemaOf(reinforce), {
    children: count(8),
    learningRate: above0(0.0006),
    baselineDecay: from0Below1(0.95),
    rewardPower: above0(3),
    perplexityReward: above0(80),
    entropyWeight: from0(0),
    hidden: count(35),
    controllerLayers: count(2),
    initialRange: above0(0.08),
    growEvery: count(1600, 0),
    growBy: count(2),
    ...ofParameterServers,
  });
});

describe('the options of PPO', () => {
  hasOptions(schemaOf(ppo), {
    children: count(20),
    learningRate: above0(0.00035),
    baselineDecay: from0Below1(0.95),
    rewardPower: above0(1),
    perplexityReward: above0(80),
    entropyWeight: from0(1e-5),
    hidden: count(100),
    controllerLayers: count(1),
    initialRange: above0(0.1),
    growEvery: count(0, 0),
    growBy: count(2),
    ...ofParameterServers,
    clip: above0(0.2),
    passes: count(4),
  });
});

describe('the options of regularised evolution', () => {
  hasOptions(schemaOf(evolution), { population: count(100), sample: count(25) });
});

describe('the options of local search', () => {
  hasOptions(schemaOf(localSearch), { initial: count(10), wholeNeighbourhood: flag(true) });
});

describe('the options of BANANAS', () => {
  hasOptions(schemaOf(bananas), {
    initial: count(10, 2),
    batch: count(10),
    candidates: count(100),
    parents: count(10),
    ensemble: count(5),
    layers: count(10, 0),
    width: count(20),
    epochs: count(150),
    batchSize: count(32),
    steps: count(3000),
    learningRate: above0(0.01),
  });
});

describe('the options of ASHA', () => {
  hasOptions(schemaOf(asha), {
    ...ofRungs(4),
    minEpochs: [1, [1, 300], [0, 1.5, 301]],
    maxEpochs: [300, [1, 1e6], [0, 1.5]],
    configurations,
    mispromotions: flag(false),
  });
});

describe('the options of successive halving', () => {
  hasOptions(schemaOf(sha), {
    ...ofRungs(4),
    minEpochs: [1, [1, 300], [0, 1.5, 301]],
    maxEpochs: [300, [1, 1e6], [0, 1.5]],
    configurations,
  });
});

describe('the options of Hyperband', () => {
  hasOptions(schemaOf(hyperband), {
    ...ofRungs(3),
    minEpochs: [1, [1, 81], [0, 1.5, 82]],
    maxEpochs: [81, [1, 1e6], [0, 1.5]],
  });
});

describe('whether results are told as they arrive', () => {
  it('is said by each strategy: of a controller, if it has replicas that do not wait for each other', () => {
    const told = (definition: AnyStrategyDefinition, given: object = {}) => {
      const { asynchronous = false } = definition;
      return typeof asynchronous === 'function' ? asynchronous(given as never) : asynchronous;
    };
    for (const definition of [random, asha, evolution, localSearch, bananas])
      expect(told(definition)).toBe(true);
    for (const definition of [sha, hyperband]) expect(told(definition)).toBe(false);
    for (const definition of [reinforce, ppo])
      expect([1, 2, 3].map((replicas) => told(definition, { replicas }))).toEqual([false, true, true]);
  });
});

describe('the preset for small searches', () => {
  it.each<[string, AnyStrategyDefinition, object]>([
    ['ASHA', asha, { maxEpochs: 9, eta: 3 }],
    ['successive halving', sha, { maxEpochs: 9, eta: 3 }],
    ['Hyperband', hyperband, { maxEpochs: 9 }],
    ['evolution', evolution, { population: 25, sample: 10 }],
    ['PPO', ppo, { children: 4, learningRate: 0.005, baselineDecay: 0.8, entropyWeight: 0.01 }],
    ['BANANAS', bananas, { layers: 3 }],
    [
      'REINFORCE',
      reinforce,
      { children: 4, learningRate: 0.01, baselineDecay: 0.8, entropyWeight: 0.001, growEvery: 0 },
    ],
  ])('of %s has these values', (_, { small }, values) => {
    expect(small).toEqual(values);
  });
});

describe('the notes before a search', () => {
  const notes = ({ notes: of, options }: AnyStrategyDefinition, raw: object, trials: number) =>
    of!(options!.parse(raw), trials, Space.configure(zophCnn));

  it('say where a controller makes no update', () => {
    expect(notes(reinforce, {}, 7)).toEqual([
      'the controller makes no update: its first one is after 8 children, and the search has 7; fewer in a minibatch: ' +
        '--set children=N, or --preset small',
    ]);
    // Four passes of a minibatch are 4 of the 6 gradients of an update.
    const accumulating = { children: 5, accumulate: 6, learningRate: 0.1 };
    expect(notes(ppo, accumulating, 9)[0]).toContain(
      'its first one is after 10 children, and the search has 9',
    );
    expect(notes(ppo, accumulating, 10)).toEqual([]);
  });

  it("say where the papers' learning rates learn nothing", () => {
    expect(notes(reinforce, {}, 100)).toEqual([
      'with learningRate 0.0006 the controller needs thousands of children; with 100 it is as good as random search: ' +
        '--set learningRate=0.02, or --preset small',
    ]);
    expect(notes(ppo, {}, 100)).toEqual([
      'with learningRate 0.00035 the controller needs thousands of children; with 100 it is as good as random search: ' +
        '--set learningRate=0.005 --set entropyWeight=0.01, or --preset small',
    ]);
    expect(notes(ppo, ppo.small!, 20)).toEqual([]);
    expect(notes(reinforce, {}, 12_800)).toEqual([]);
    expect(notes(reinforce, reinforce.small!, 20)).toEqual([]);
  });
});

describe("the preset of the papers' own searches", () => {
  const paper = ({ paper: of }: AnyStrategyDefinition, definition: AnySpaceDefinition) =>
    of!(Space.configure(definition, {}));

  it('has 100 replicas of 8 children for images, and 400 of one for language (Zoph & Le 2016, 4.1 and 4.2)', () => {
    expect(paper(reinforce, zophCnn)).toEqual({ shards: 20, replicas: 100, children: 8 });
    expect(paper(reinforce, zophRnn)).toEqual({
      learningRate: 0.0005,
      shards: 20,
      replicas: 400,
      children: 1,
      accumulate: 10,
    });
  });

  it('keeps 450 workers busy with minibatches of 20 (Zoph et al. 2018, A.1)', () => {
    expect(paper(ppo, nasnet)).toEqual({ replicas: 23 });
  });
});
