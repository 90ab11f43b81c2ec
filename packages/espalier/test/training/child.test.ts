import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nn, setThreads, type Tensor, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { openTraining } from '../../src/experiments/opened-training.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import type { Network } from '../../src/networks/network.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { ImageClassification } from '../../src/tasks/image-classification.js';
import type { ImageTask } from '../../src/tasks/image-task.js';
import { type Pause, trainChild } from '../../src/training/child.js';
import type { StepReport } from '../../src/training/network-training.js';
import type { TrainingSettings } from '../../src/training/training-settings.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writeTinyText } from '../cli/tiny-text.js';
import { bytesAsTheyAre, tinySet } from '../data/tiny-set.js';
import { temporaryFolder } from '../runs/temporary-folder.js';
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

/** A child that classifies the images of a task. */
function classifier(build: () => Network, task: ImageTask, settings: TrainingSettings) {
  return {
    task: new ImageClassification(task, settings),
    settings,
    build,
    multiplyAdds: (network: nn.Module) => multiplyAdds(traceClassifier(network as Network, task.shape).calls),
  };
}

async function scripted(right: readonly number[]) {
  const child = classifier(() => new Scripted(right), onePixel, settingsOf({ epochs: right.length }));
  return trainChild(child, { seed: 1, report: async () => {} });
}

async function tiny(given: Partial<TrainingSettings>, seed = 1, pause?: Pause) {
  const reports: StepReport[] = [];
  const outcome = await trainChild(classifier(tinyNetwork, tinyTask, settingsOf(given)), {
    seed,
    ...(pause === undefined ? {} : { pause }),
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
    const child = classifier(tinyNetwork, tinyTask, settingsOf());
    await expect(trainChild(child, { seed: 1, report })).rejects.toThrow('the pipe is closed');
  });
});

describe('a child that is paused', () => {
  const settings = { epochs: 6, schedule: 'cosine' } as const;
  const identity = 'child 1';

  /** Trained for 1 epoch, then up to 4, with the file in between as `change` leaves it. */
  async function inTwo(change: (file: string) => void = () => {}) {
    const folder = temporaryFolder();
    const load = join(folder, 'trials', '0', 'checkpoint.safetensors');
    const save = join(folder, 'trials', '1', 'checkpoint.safetensors');
    const first = await tiny(settings, 1, { epochs: 1, identity, save: load });
    change(load);
    const second = await tiny(settings, 1, { epochs: 4, identity, save, load });
    return { first, second, saved: readFileSync(save) };
  }

  const atOnce = async () => {
    const save = join(temporaryFolder(), 'checkpoint.safetensors');
    const { outcome } = await tiny(settings, 1, { epochs: 4, identity, save });
    return { outcome, saved: readFileSync(save) };
  };

  it('and goes on is bit by bit what it would be at once, with all its epochs', async () => {
    const { first, second, saved } = await inTwo();
    const whole = await atOnce();
    expect(second.outcome).toEqual(whole.outcome);
    expect(saved.equals(whole.saved)).toBe(true);
    expect(first.reports).toHaveLength(5);
    expect(second.reports).toHaveLength(15);
    expect((second.outcome.epochs as object[]).slice(0, 1)).toEqual(first.outcome.epochs);
  });

  it('and goes on to the end is the child that was never paused', async () => {
    const load = join(temporaryFolder(), 'checkpoint.safetensors');
    await tiny(settings, 1, { epochs: 2, identity, save: load });
    const { outcome } = await tiny(settings, 1, { epochs: 6, identity, load });
    expect(outcome.epochs).toEqual((await tiny(settings)).outcome.epochs);
  });

  it.each<[string, (file: string) => void]>([
    ['is not there', (file) => rmSync(file)],
    ['is torn', (file) => truncateSync(file, 500)],
    ['is empty', (file) => writeFileSync(file, '')],
  ])('is trained from the start, and comes to the same, where its file %s', async (_, change) => {
    const { second, saved } = await inTwo(change);
    const whole = await atOnce();
    expect(second.outcome).toEqual(whole.outcome);
    expect(saved.equals(whole.saved)).toBe(true);
    expect(second.reports).toHaveLength(20);
  });

  it('does not go on with the file of another child, or of a longer training', async () => {
    const load = join(temporaryFolder(), 'checkpoint.safetensors');
    await tiny(settings, 2, { epochs: 3, identity: 'child 2', save: load });
    const fresh = await tiny(settings, 1, { epochs: 4, identity });
    expect(await tiny(settings, 1, { epochs: 4, identity, load })).toEqual(fresh);
    await tiny(settings, 1, { epochs: 5, identity, save: load });
    expect(await tiny(settings, 1, { epochs: 4, identity, load })).toEqual(fresh);
  });

  it('is as good as its last epoch, and leaves no file when there is nothing to go on with', async () => {
    const right = [4, 3, 1];
    const save = join(temporaryFolder(), 'checkpoint.safetensors');
    const outcome = await trainChild(
      classifier(() => new Scripted(right), onePixel, settingsOf({ epochs: 3 })),
      {
        seed: 1,
        pause: { epochs: 3, identity, save },
        report: async () => {},
      },
    );
    expect(outcome).toMatchObject({ status: 'ok', accuracy: 0.25 });
    expect(existsSync(save)).toBe(false);
  });
});

describe('a child that is a language model', () => {
  const space = Space.configure(dartsRnn, { hidden: 6, nodes: 2 });
  const architecture = space.decode(space.sample(Random.of(2, 'cell')));
  const text = `text:${writeTinyText(join(suiteFolder(), 'text'))}`;

  function model(given: object, pause?: Pause) {
    const { task, settings, build, multiplyAdds } = openTraining(
      space,
      { data: text, seed: 1 },
      { epochs: 6, batchSize: 10, learningRate: 2, stretch: 10, ...given },
    );
    const child = { task, settings, build: () => build(space, architecture), multiplyAdds };
    return trainChild(child, {
      seed: 1,
      ...(pause === undefined ? {} : { pause }),
      report: async () => {},
    });
  }

  type Epochs = { perplexity: number }[];

  it('is as good as the lowest perplexity of its last five epochs', async () => {
    const outcome = await model({});
    const perplexities = (outcome.epochs as Epochs).map(({ perplexity }) => perplexity);
    expect(perplexities).toHaveLength(6);
    // Twenty words and the end of a line; a model that has learned something is better than chance.
    expect(outcome).toMatchObject({ status: 'ok', perplexity: Math.min(...perplexities.slice(1)) });
    expect(outcome.perplexity).toBeLessThan(21);
    expect(outcome).not.toHaveProperty('accuracy');
    expect(outcome.macs).toBeGreaterThan(0);
  });

  it('that averages its weights is measured with the averaged ones', async () => {
    // Whatever is not better than the epoch before makes it average: at this rate that comes soon.
    const [plain, averaged] = [
      await model({ learningRate: 20, nonMonotone: 0 }),
      await model({ learningRate: 20, nonMonotone: 1 }),
    ];
    const of = (outcome: typeof plain) => (outcome.epochs as Epochs).map(({ perplexity }) => perplexity);
    const first = of(plain).findIndex((value, epoch) => value !== of(averaged)[epoch]);
    expect(first).toBeGreaterThanOrEqual(2);
  });

  it('and is paused goes on as it would at once, averages included', async () => {
    const given = { learningRate: 20, nonMonotone: 1 };
    const [load, save, whole] = ['load', 'save', 'whole'].map((name) => join(temporaryFolder(), name)) as [
      string,
      string,
      string,
    ];
    await model(given, { epochs: 3, identity: 'a', save: load });
    const second = await model(given, { epochs: 5, identity: 'a', load, save });
    expect(second).toEqual(await model(given, { epochs: 5, identity: 'a', save: whole }));
    expect(readFileSync(save).equals(readFileSync(whole))).toBe(true);
  });
});
