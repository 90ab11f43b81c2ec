import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { asha } from '../../src/strategies/asha.js';
import { hyperband } from '../../src/strategies/hyperband.js';
import { random } from '../../src/strategies/random.js';
import { reinforce } from '../../src/strategies/reinforce.js';
import { sha } from '../../src/strategies/sha.js';
import type { AnyStrategyDefinition } from '../../src/strategies/strategy.js';
import { above0, count, flag, from0, from0Below1, hasOptions } from '../tasks/option-table.js';

const schemaOf = ({ options }: AnyStrategyDefinition) => options as unknown as z.ZodType<object>;

/** Without `minEpochs` and `maxEpochs`, which limit each other. */
const ofRungs = (eta: number) => ({ eta: count(eta, 2) });
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

describe('the preset for small searches', () => {
  it.each<[string, AnyStrategyDefinition, object]>([
    ['ASHA', asha, { maxEpochs: 9, eta: 3 }],
    ['successive halving', sha, { maxEpochs: 9, eta: 3 }],
    ['Hyperband', hyperband, { maxEpochs: 9 }],
    ['REINFORCE', reinforce, { children: 4, learningRate: 0.02, baselineDecay: 0.8, growEvery: 0 }],
  ])('of %s has these values', (_, { small }, values) => {
    expect(small).toEqual(values);
  });
});
