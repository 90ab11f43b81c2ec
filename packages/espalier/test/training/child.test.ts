import { nn, setThreads, type Tensor, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import type { ImageTask } from '../../src/tasks/image-task.js';
import { trainChild } from '../../src/training/child.js';
import type { StepReport } from '../../src/training/network-training.js';
import type { TrainingSettings } from '../../src/training/training-settings.js';
import { bytesAsTheyAre, tinySet } from '../data/tiny-set.js';
import { settingsOf, tinyNetwork, tinyTask } from './tiny-task.js';

setThreads(1);

/**
 * One pixel, two classes, four validation images of class 1. In evaluation it ignores what it learned and gets as many
 * images right as the script says for the epoch.
 */
class Scripted extends nn.Layer {
  readonly linear = new nn.Linear(1, 2);
  #epoch = 0;

  constructor(readonly right: readonly number[]) {
    super();
  }

  forward(input: Tensor): Tensor {
    const [count] = input.shape as [number];
    // One image alone is the one that multiply-adds are counted with.
    if (this.training || count === 1) return this.linear.forward(input.flatten(1));
    const right = this.right[this.#epoch++]!;
    return tensor(Array.from({ length: count }, (_, image) => (image < right ? [0, 1] : [1, 0])));
  }
}

const onePixel: ImageTask = {
  ...tinyTask,
  train: tinySet([2, 1, 1, 1], [0, 1], [0, 1]),
  validation: tinySet([4, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]),
  statistics: bytesAsTheyAre(1),
  augmentation: {},
  shape: { channels: 1, height: 1, width: 1, classes: 2 },
};

async function scripted(right: readonly number[]) {
  const settings = settingsOf({ epochs: right.length });
  return trainChild(() => new Scripted(right), onePixel, settings, { seed: 1, report: async () => {} });
}

async function tiny(given: Partial<TrainingSettings>, seed = 1) {
  const reports: StepReport[] = [];
  const outcome = await trainChild(tinyNetwork, tinyTask, settingsOf(given), {
    seed,
    report: async (step) => {
      reports.push(step);
    },
  });
  return { outcome, reports };
}

describe('a child', () => {
  it('is as good as the best of its last five epochs', async () => {
    const outcome = await scripted([4, 1, 2, 3, 0, 2, 1]);
    expect(outcome).toMatchObject({ status: 'ok', accuracy: 0.75 });
    expect((outcome.epochs as { accuracy: number }[]).map(({ accuracy }) => accuracy)).toEqual([
      1, 0.25, 0.5, 0.75, 0, 0.5, 0.25,
    ]);
    // The epoch of three right ones is the sixth from the end.
    expect(await scripted([4, 3, 2, 1, 1, 1, 2])).toMatchObject({ accuracy: 0.5 });
  });

  it('with fewer epochs is as good as the best of them', async () => {
    expect(await scripted([3, 1])).toMatchObject({ accuracy: 0.75 });
  });

  it('says its epochs, its parameters and its multiply-adds', async () => {
    const { outcome, reports } = await tiny({ epochs: 2 });
    const ends = reports.filter(({ step, stepsPerEpoch }) => step === stepsPerEpoch);
    expect(reports).toHaveLength(10);
    expect(outcome).toEqual({
      status: 'ok',
      accuracy: expect.any(Number),
      params: 4 * 9 + 2 * 4 + (4 * 3 + 3),
      macs: 4 * 4 * 4 * 9 + 4 * 3,
      epochs: [1, 2].map((epoch) => ({ epoch, loss: ends[epoch - 1]!.loss, accuracy: expect.any(Number) })),
    });
  });

  it('comes to the same for the same seed, and to something else for another', async () => {
    const first = await tiny({}, 1);
    expect(await tiny({}, 1)).toEqual(first);
    expect((await tiny({}, 2)).outcome).not.toEqual(first.outcome);
  });

  it('that diverges is a failed trial with the reason', async () => {
    const { outcome } = await tiny({ learningRate: 1e30 });
    expect(outcome.status).toBe('failed');
    expect(outcome.reason).toMatch(/^diverged: the loss is (NaN|Infinity) in epoch 1, step [2-5] of 5$/);
  });

  it('whose training fails in another way is no outcome: the error goes on', async () => {
    const report = async () => {
      throw new Error('the pipe is closed');
    };
    await expect(trainChild(tinyNetwork, tinyTask, settingsOf(), { seed: 1, report })).rejects.toThrow(
      'the pipe is closed',
    );
  });
});
