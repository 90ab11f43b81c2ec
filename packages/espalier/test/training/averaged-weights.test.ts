import { nn, noGrad, scope, setThreads, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../src/json.js';
import { buildLanguageModel } from '../../src/networks/build-language-model.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { LanguageModelling } from '../../src/tasks/language-modelling.js';
import { AveragedWeights } from '../../src/training/averaged-weights.js';
import { initialised } from '../../src/training/child.js';
import { NetworkTraining } from '../../src/training/network-training.js';
import { languageTrainingSettings } from '../../src/training/training-settings.js';
import { tinyText } from '../weight-sharing/conformance.js';

setThreads(1);

describe('averaged weights', () => {
  it('are the mean over the steps since they began, and leave the weights alone', () => {
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

  it('stay with the weights where no step was made', () => {
    const weight = new nn.Parameter(noGrad(() => tensor([1, 2])));
    expect(new AveragedWeights([weight]).within(() => weight.toNumbers())).toEqual([1, 2]);
  });
});

describe('the training of a language model', () => {
  const space = Space.configure(dartsRnn, { hidden: 4, nodes: 2 });
  const [architecture] = [space.decode(space.sample({ below: () => 0 } as never))];

  function begin(given: object = {}) {
    const settings = languageTrainingSettings.parse({
      epochs: 6,
      batchSize: 4,
      stretch: 5,
      learningRate: 8,
      nonMonotone: 2,
      ...given,
    });
    const task = new LanguageModelling(tinyText, { stretch: 5, alpha: 0, beta: 1e-3, device: 'cpu' });
    const network = initialised(() => buildLanguageModel(space, architecture, { vocabulary: 8 }), 1);
    return { network, training: new NetworkTraining({ network, task, settings, seed: 1 }) };
  }

  function epochOf({ training }: ReturnType<typeof begin>) {
    const losses = [...training.trainEpoch()].map(({ loss }) => loss);
    return { losses, ...training.endEpoch() } as { losses: number[]; perplexity: number; averaged: boolean };
  }

  it('averages from when the perplexity is not better than that of two epochs before, and from then on', () => {
    const begun = begin();
    const epochs = Array.from({ length: 6 }, () => epochOf(begun));
    let began = false;
    for (const [i, { perplexity, averaged }] of epochs.entries()) {
      const before = epochs.slice(0, Math.max(0, i - 2)).map((epoch) => epoch.perplexity);
      began ||= before.some((earlier) => earlier < perplexity);
      expect(averaged).toBe(began);
    }
    // At such a rate it does happen.
    expect(began).toBe(true);
    begun.training.free();
    begun.network.free();
  });

  it('goes on from what was saved, averages included, as if nothing had happened', () => {
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
