import { noGrad, scope, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import type { Sums } from '../../src/measures/accumulator.js';
import type { Batch, Part } from '../../src/tasks/task.js';
import { NetworkTraining } from '../../src/training/network-training.js';
import { ScriptedTask, Weights } from './scripted-task.js';

/** Its loss is not a number in the given steps, counted from 1 over all epochs. */
class BrokenSteps extends ScriptedTask {
  #step = 0;

  constructor(
    values: readonly number[],
    private readonly broken: readonly number[],
  ) {
    super({ gradient: [1], stepsPerEpoch: 2, values });
  }

  override *pass(part: Part): Generator<Batch<Weights, Sums>, void, undefined> {
    for (const batch of super.pass(part)) {
      if (part === 'train') this.#step++;
      const isBroken = part === 'train' && this.broken.includes(this.#step);
      yield isBroken
        ? {
            ...batch,
            trainingLoss: ({ weight }) => {
              const loss = weight.mul(tensor([Number.NaN])).sum();
              return { loss, total: loss };
            },
          }
        : batch;
    }
  }
}

/** A learning rate of 1 and a gradient of 1: each step takes 1 from the weight. Two steps an epoch. */
function begin(values: readonly number[], { broken = [] as number[], ...given } = {}) {
  const network = new Weights(1);
  noGrad(() => network.weight.copy_(tensor([0])));
  const task = new BrokenSteps(values, broken);
  const settings = {
    epochs: 4,
    batchSize: 1,
    learningRate: 1,
    schedule: 'constant',
    decay: 1,
    momentum: 0,
    nesterov: false,
    weightDecay: 0,
    clip: 0,
    keepBest: true,
    ...given,
  } as const;
  return { network, task, training: new NetworkTraining<Weights>({ network, task, settings, seed: 1 }) };
}

type Begun = ReturnType<typeof begin>;

function epoch({ training }: Begun) {
  for (const _ of training.trainEpoch());
  return training.endEpoch();
}

function weightAtTheEnd({ training, network }: Begun) {
  while (!training.trained) epoch({ training } as Begun);
  training.finish();
  return network.weight.toNumbers();
}

describe('a training that keeps its best weights', () => {
  it('ends with those of the epoch with the best validation measure', () => {
    expect(weightAtTheEnd(begin([5, 3, 4, 6]))).toEqual([-4]);
    expect(weightAtTheEnd(begin([5, 3, 3, 2]))).toEqual([-8]);
    expect(weightAtTheEnd(begin([5, 3, 4, 6], { keepBest: false } as object))).toEqual([-8]);
  });

  it('keeps the averaged weights that were measured, not those of the last step', () => {
    // Epoch 3 is worse than epoch 1, so epoch 4 measures the mean of the steps 7 and 8.
    expect(weightAtTheEnd(begin([5, 6, 6, 4], { nonMonotone: 1 } as object))).toEqual([-7.5]);
  });

  it('goes back to them when the loss is not finite, and trains on from there', () => {
    const run = begin([5, 3, 3, 2], { broken: [5] });
    expect([epoch(run), epoch(run)].map(({ wentBack }) => wentBack)).toEqual([undefined, undefined]);
    expect(epoch(run)).toMatchObject({ wentBack: true, measures: { value: 3 } });
    expect(run.task.evaluated.at(-1)).toEqual([-4]);
    // The loss of the epoch before stays: not a number would be none.
    expect(run.training.lastLoss).toBe(-2.5);
    expect(epoch(run).wentBack).toBeUndefined();
    expect(run.task.evaluated.at(-1)).toEqual([-6]);
  });

  it('goes back to them when the validation is not finite', () => {
    const run = begin([5, Number.NaN, 5, 4]);
    epoch(run);
    expect(epoch(run)).toMatchObject({ wentBack: true, measures: { value: 5 } });
    expect(run.network.weight.toNumbers()).toEqual([-2]);
  });

  it('goes back once an epoch, and not for an error of another kind', () => {
    const twice = begin([5, Number.NaN, 4], { broken: [3] });
    epoch(twice);
    expect(() => epoch(twice)).toThrow('diverged: the validation value is NaN');
    const unread = begin([5, 4]);
    epoch(unread);
    unread.task.pass = (part) => {
      if (part === 'validation') throw new Error('the file is gone');
      return ScriptedTask.prototype.pass.call(unread.task, part);
    };
    expect(() => epoch(unread)).toThrow('the file is gone');
    expect(unread.network.weight.toNumbers()).toEqual([-4]);
  });

  it('ends when the epoch after diverges too, when none are kept yet, and when none are to be kept', () => {
    const twice = begin([5, 5], { broken: [3, 4] });
    epoch(twice);
    epoch(twice);
    expect(() => epoch(twice)).toThrow('diverged: the loss is NaN in epoch 3, step 1 of 2');
    expect(() => epoch(begin([5], { broken: [2] }))).toThrow('in epoch 1, step 2 of 2');
    const plain = begin([5], { broken: [3], keepBest: false } as object);
    epoch(plain);
    expect(() => epoch(plain)).toThrow('in epoch 2, step 1 of 2');
  });

  it('goes on from a saved state with the same best weights', () => {
    const first = begin([5, 3]);
    epoch(first);
    epoch(first);
    const second = begin([4, 6]);
    scope(() =>
      second.training.loadState(
        first.training.stateDict(),
        first.training.stateJson(),
        2,
        first.training.lastLoss,
      ),
    );
    expect(weightAtTheEnd(second)).toEqual([-4]);
  });
});
