import { liveTensors } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { Ensemble, type EnsembleOptions, type Examples } from '../../src/predictors/ensemble.js';
import { Random } from '../../src/random/random.js';

const options = {
  members: 3,
  layers: 2,
  width: 16,
  learningRate: 0.01,
  epochs: 150,
  batchSize: 8,
  steps: 450,
};

/** Sums of some of five bits, with weights. */
const weights = [5, -3, 2, 0, 1];
const bitsOf = (number: number) => Float32Array.from(weights, (_, bit) => (number >> bit) & 1);
const worthOf = (number: number) => bitsOf(number).reduce((sum, bit, i) => sum + bit * weights[i]!, 100);
const rows = (numbers: readonly number[]) => Float32Array.from(numbers.flatMap((one) => [...bitsOf(one)]));

const learned = Array.from({ length: 24 }, (_, i) => (i * 7) % 32);
const others = Array.from({ length: 32 }, (_, i) => i).filter((one) => !learned.includes(one));
const examples = { features: 5, encoded: rows(learned), values: learned.map(worthOf) };

function forecast(given: Examples, inputs: Float32Array, of: EnsembleOptions, seed: number, random: Random) {
  const ensemble = Ensemble.train(given, of, seed, random);
  try {
    return ensemble.forecast(inputs);
  } finally {
    ensemble.free();
  }
}

describe('an ensemble of predictors', () => {
  it('learns a sum of features, and knows it where it has not seen it', () => {
    const forecasts = forecast(examples, rows(others), options, 1, Random.of(1, 'test'));
    expect(forecasts).toHaveLength(8);
    // The values spread over eleven.
    for (const [i, { mean }] of forecasts.entries())
      expect(Math.abs(mean - worthOf(others[i]!))).toBeLessThan(1.5);
  });

  it('is surer of what it has learned than of what it has not', () => {
    const mean = (numbers: readonly number[]) => {
      const all = forecast(examples, rows(numbers), options, 1, Random.of(1, 'test'));
      return all.reduce((sum, { deviation }) => sum + deviation, 0) / all.length;
    };
    expect(mean(learned)).toBeLessThan(mean(others));
  });

  it('has no doubts with one member, and none about equal values', () => {
    const [one] = forecast(examples, rows([3]), { ...options, members: 1 }, 1, Random.of(1, 'test'));
    expect(one!.deviation).toBe(0);
    const equal = { ...examples, values: learned.map(() => 7), epochs: 40 };
    for (const { mean } of forecast(equal, rows([3, 9]), options, 1, Random.of(1, 'test')))
      expect(Math.abs(mean - 7)).toBeLessThan(0.5);
  });

  it('is the same for the same seed, another for another, and keeps no tensor', () => {
    const before = liveTensors();
    const with_ = (seed: number) => forecast(examples, rows([3]), options, seed, Random.of(1, 'test'));
    expect(with_(5)).toEqual(with_(5));
    expect(with_(5)).not.toEqual(with_(6));
    expect(liveTensors()).toBe(before);
  });

  it('has fewer epochs where all of them would make too many steps, and at least one', () => {
    const after = (more: Partial<EnsembleOptions>) =>
      forecast(examples, rows([3]), { ...options, ...more }, 1, Random.of(1, 'test'));
    // An epoch of 24 examples has 3 steps.
    expect(after({ steps: 8 })).toEqual(after({ epochs: 2 }));
    expect(after({ steps: 9 })).toEqual(after({ epochs: 3 }));
    expect(after({ steps: 2 })).toEqual(after({ epochs: 1 }));
  });
});
