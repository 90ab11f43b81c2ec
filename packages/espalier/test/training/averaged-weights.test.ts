import { liveTensors, nn, noGrad, scope, setThreads, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/json.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { LanguageModelling } from '../../src/tasks/language-modelling/language-modelling.js';
import { languageTrainingOptions } from '../../src/tasks/language-modelling/training-options.js';
import { AveragedWeights, exponential } from '../../src/training/averaged-weights.js';
import { NetworkTraining } from '../../src/training/network-training.js';
import { initialised } from '../../src/training/train-child.js';
import { tinyText } from '../weight-sharing/conformance.js';
import { ScriptedTask, Weights } from './scripted-task.js';

setThreads(1);

describe('averaged weights', () => {
  it('are the mean over all steps so far, and leave the weights alone', () => {
    const weight = new nn.Parameter(noGrad(() => tensor([1, 2])));
    const averaged = new AveragedWeights([weight]);
    for (const values of [
      [1, 8],
      [4, 2],
      [7, 5],
    ]) {
      noGrad(() => weight.copy_(tensor(values)));
      averaged.update();
    }
    expect(averaged.within(() => weight.toNumbers())).toEqual([4, 5]);
    expect(weight.toNumbers()).toEqual([7, 5]);
    averaged.replace();
    expect(weight.toNumbers()).toEqual([4, 5]);
    averaged.free();
  });

  it('forget exponentially, faster at first', () => {
    const weight = new nn.Parameter(noGrad(() => tensor([1])));
    const averaged = new AveragedWeights([weight], exponential(0.25));
    let expected = 6;
    // (1 + t) / (10 + t) is 2/11, 3/12, 4/13, 5/14 in steps 1 to 4: from step 2 on the decay is less.
    for (const [index, value] of [6, 2, 10, 4].entries()) {
      noGrad(() => weight.fill_(value));
      averaged.update();
      expected += (1 - (index === 0 ? 2 / 11 : 0.25)) * (value - expected);
      expect(averaged.within(() => weight.item())).toBeCloseTo(expected, 5);
    }
    averaged.free();
  });

  it('are the weights themselves before the first step', () => {
    const weight = new nn.Parameter(noGrad(() => tensor([1, 2])));
    expect(new AveragedWeights([weight]).within(() => weight.toNumbers())).toEqual([1, 2]);
  });

  it('begin anew once they are freed, which may be done twice, and leave no tensor', () => {
    const weight = new nn.Parameter(noGrad(() => tensor([1, 2])));
    const averaged = new AveragedWeights([weight]);
    averaged.update();
    scope(() => noGrad(() => weight.fill_(5)));
    averaged.free();
    averaged.free();
    averaged.update();
    expect(averaged.within(() => weight.toNumbers())).toEqual([5, 5]);
    const other = new AveragedWeights([weight]);
    other.update();
    const live = liveTensors();
    scope(() => averaged.loadStateDict(other.stateDict()));
    expect(liveTensors()).toBe(live);
    averaged.free();
    expect(liveTensors()).toBe(live - 1);
  });
});

describe('a training whose weights are averaged (NT-ASGD)', () => {
  /** Trains with a learning rate of 1 and a gradient of 1: after step k the weight is -k. Two steps an epoch. */
  function trained(values: readonly number[], nonMonotone: number, better: 'higher' | 'lower' = 'lower') {
    const network = new Weights(1);
    const task = new ScriptedTask({ gradient: [1], stepsPerEpoch: 2, values, better });
    const settings = {
      epochs: values.length,
      batchSize: 1,
      learningRate: 1,
      schedule: 'constant',
      decay: 1,
      momentum: 0,
      nesterov: false,
      weightDecay: 0,
      clip: 0,
      nonMonotone,
    } as const;
    const training = new NetworkTraining<Weights>({ network, task, settings, seed: 1 });
    const averaged: unknown[] = [];
    while (!training.trained) {
      for (const _ of training.trainEpoch());
      averaged.push(training.endEpoch().averaged);
    }
    const last = network.weight.toNumbers();
    training.finish();
    const found = { averaged, evaluated: task.evaluated.flat(), last, final: network.weight.toNumbers() };
    training.free();
    network.free();
    return found;
  }

  it('averages all steps since the first trigger, however many triggers follow', () => {
    // From epoch 3 on each value is worse than the first one: a trigger in each of epochs 3 to 6.
    const { averaged, evaluated, last, final } = trained([5, 6, 7, 8, 9, 10], 1);
    expect(averaged).toEqual([false, false, true, true, true, true]);
    // Weights -2, -4, -6 as they are; then the means of steps 7 and 8, of 7 to 10, of 7 to 12.
    expect(evaluated).toEqual([-2, -4, -6, -7.5, -8.5, -9.5]);
    expect(last).toEqual([-12]);
    expect(final).toEqual([-9.5]);
  });

  it('begins with the first value that is worse than the best of more than n epochs ago', () => {
    // With n = 2 the value 6 of epoch 3 has only younger ones before it; 5.5 of epoch 5 is worse than the 5 of epoch 1.
    expect(trained([5, 4, 6, 4.5, 5.5, 3], 2).averaged).toEqual([false, false, false, false, true, true]);
    // Equal is not worse.
    expect(trained([5, 4, 5, 5, 4, 4], 2).averaged).toEqual([false, false, false, false, false, false]);
  });

  it('asks the measure which of two values is worse', () => {
    expect(trained([5, 6, 7, 8], 1, 'higher').averaged).toEqual([false, false, false, false]);
    expect(trained([8, 7, 6, 5], 1, 'higher').averaged).toEqual([false, false, true, true]);
  });

  it('goes on from a saved epoch with the mean that it had', () => {
    const settings = {
      epochs: 6,
      batchSize: 1,
      learningRate: 1,
      schedule: 'constant',
      decay: 1,
      decayEpoch: 1,
      momentum: 0,
      nesterov: false,
      weightDecay: 0,
      clip: 0,
      nonMonotone: 1,
    } as const;
    const begin = (values: readonly number[]) => {
      const network = new Weights(1);
      const task = new ScriptedTask({ gradient: [1], stepsPerEpoch: 2, values });
      return { network, training: new NetworkTraining<Weights>({ network, task, settings, seed: 1 }) };
    };
    const epoch = ({ training }: ReturnType<typeof begin>) => {
      for (const _ of training.trainEpoch());
      return training.endEpoch().averaged;
    };
    const begun = begin([5, 6, 7, 8]);
    expect([1, 2, 3, 4].map(() => epoch(begun))).toEqual([false, false, true, true]);
    const resumed = begin([9, 10]);
    const { training } = begun;
    scope(() => resumed.training.loadState(training.stateDict(), training.stateJson(), 4, training.lastLoss));
    expect([5, 6].map(() => epoch(resumed))).toEqual([true, true]);
    resumed.training.finish();
    // The mean of steps 7 to 12, the first two of which were before.
    expect(resumed.network.weight.toNumbers()).toEqual([-9.5]);
    for (const { training: one, network } of [begun, resumed]) {
      one.free();
      network.free();
    }
  });

  it('averages from the first step on with a decay rate, also of weights that are measured, kept and resumed', () => {
    const settings = {
      epochs: 3,
      batchSize: 1,
      learningRate: 1,
      schedule: 'constant',
      decay: 1,
      momentum: 0,
      nesterov: false,
      weightDecay: 0,
      clip: 0,
      keepBest: true,
      averageDecay: 0.25,
    } as const;
    const begin = (values: readonly number[]) => {
      const network = new Weights(1);
      const task = new ScriptedTask({ gradient: [1], stepsPerEpoch: 2, values });
      return { network, task, training: new NetworkTraining<Weights>({ network, task, settings, seed: 1 }) };
    };
    const epoch = ({ training }: ReturnType<typeof begin>) => {
      for (const _ of training.trainEpoch());
      return training.endEpoch();
    };
    // After step k the weight is -k, and the mean that before with a share of a quarter.
    const means = [-1];
    for (let step = 2; step <= 6; step++) means.push(0.25 * means.at(-1)! - 0.75 * step);
    const begun = begin([5, 4]);
    expect([1, 2].map(() => epoch(begun).averaged)).toEqual([true, true]);
    const resumed = begin([3]);
    const { training } = begun;
    scope(() => resumed.training.loadState(training.stateDict(), training.stateJson(), 2, training.lastLoss));
    expect(resumed.training.withAverage(() => resumed.network.weight.item())).toBeCloseTo(means[3]!, 6);
    epoch(resumed);
    const seen = [...begun.task.evaluated, ...resumed.task.evaluated].flat();
    for (const [index, value] of seen.entries()) expect(value).toBeCloseTo(means[2 * index + 1]!, 6);
    expect(resumed.network.weight.toNumbers()).toEqual([-6]);
    resumed.training.finish();
    expect(resumed.network.weight.item()).toBeCloseTo(means[5]!, 6);
    for (const { training: one, network } of [begun, resumed]) {
      one.free();
      network.free();
    }
  });

  it('never averages with n = 0, and then validates nothing', () => {
    const { averaged, evaluated, final } = trained([5, 6, 7], 0);
    expect(averaged).toEqual([undefined, undefined, undefined]);
    expect(evaluated).toEqual([]);
    expect(final).toEqual([-6]);
  });
});

describe('the training of a language model', () => {
  const space = Space.configure(dartsRnn, { hidden: 4, nodes: 2 });
  const [architecture] = [space.decode(space.sample({ below: () => 0 } as never))];

  function begin(given: object = {}) {
    const settings = languageTrainingOptions.parse({
      epochs: 6,
      batchSize: 4,
      bptt: 5,
      learningRate: 8,
      nonMonotone: 2,
      ...given,
    });
    const task = new LanguageModelling(tinyText, settings);
    const network = initialised(() => buildLanguageModel(space, architecture, { vocabulary: 8 }), 1);
    return { network, training: new NetworkTraining({ network, task, settings, seed: 1 }) };
  }

  function epochOf({ training }: ReturnType<typeof begin>) {
    const losses = [...training.trainEpoch()].map(({ loss }) => loss);
    return { losses, ...training.endEpoch() } as unknown as {
      losses: number[];
      measures: { perplexity: number };
      averaged: boolean;
    };
  }

  it('averages once the perplexity is worse than the best of more than two epochs ago, and from then on', () => {
    const begun = begin();
    const epochs = Array.from({ length: 6 }, () => epochOf(begun));
    let began = false;
    for (const [i, { measures, averaged }] of epochs.entries()) {
      const before = epochs.slice(0, Math.max(0, i - 2)).map((epoch) => epoch.measures.perplexity);
      began ||= before.some((earlier) => earlier < measures.perplexity);
      expect(averaged).toBe(began);
    }
    // At such a rate it does happen.
    expect(began).toBe(true);
    begun.training.free();
    begun.network.free();
  });

  it('resumes from its saved state, averages included, as if it had never stopped', () => {
    const whole = begin();
    const all = Array.from({ length: 6 }, () => epochOf(whole));
    expect(all[4]!.averaged).toBe(true);
    const first = begin();
    for (let i = 0; i < 5; i++) epochOf(first);
    scope(() => {
      const state = new Map([...first.training.stateDict()].map(([name, value]) => [name, value.clone()]));
      const json = JSON.parse(JSON.stringify(first.training.stateJson())) as Json;
      const second = begin();
      second.training.loadState(state, json, 5, first.training.lastLoss);
      expect(epochOf(second)).toEqual(all[5]);
      whole.training.finish();
      second.training.finish();
      const numbers = ({ network }: typeof whole) => network.parameters().map((weight) => weight.toNumbers());
      expect(numbers(second)).toEqual(numbers(whole));
    });
  });
});
