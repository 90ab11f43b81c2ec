import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nn, setThreads, type Tensor, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import type { Network } from '../../src/networks/network.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { Random } from '../../src/random/random.js';
import { type CheckpointStore, FolderStore } from '../../src/runs/checkpoint-store.js';
import type { Outcome, Success } from '../../src/runs/outcome.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { ImageClassification } from '../../src/tasks/image-classification/image-classification.js';
import type { OpenedImages } from '../../src/tasks/image-classification/open-images.js';
import type { ImageTrainingOptions } from '../../src/tasks/image-classification/training-options.js';
import type { StepReport } from '../../src/training/network-training.js';
import { openTraining } from '../../src/training/opened-training.js';
import { type Keeping, trainChild } from '../../src/training/train-child.js';
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

const onePixel: OpenedImages = {
  ...tinyTask,
  train: tinySet([2, 1, 1, 1], [0, 1], [0, 1]),
  validation: tinySet([4, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]),
  statistics: bytesAsTheyAre(1),
  augmentation: {},
  shape: { channels: 1, height: 1, width: 1, classes: 2 },
};

/** A child that classifies the images of a task. */
function classifier(build: () => Network, task: OpenedImages, settings: ImageTrainingOptions) {
  return {
    task: new ImageClassification(task, settings),
    settings,
    build,
    multiplyAdds: (network: nn.Module) => multiplyAdds(traceClassifier(network as Network, task.shape).calls),
  };
}

/** What the journal holds of each epoch of a child that was measured. */
interface Epoch {
  readonly epoch: number;
  readonly loss: number;
  readonly measures: Readonly<Record<string, number>>;
}

const epochsOf = ({ epochs }: Outcome) => epochs as unknown as Epoch[];

async function scripted(right: readonly number[]) {
  const child = classifier(() => new Scripted(right), onePixel, settingsOf({ epochs: right.length }));
  return trainChild(child, { seed: 1, report: async () => {} });
}

/** Where a child is kept, and the epochs that it is trained for. */
type Pause = Keeping & { readonly epochs: number };

const paused = ({ epochs, ...keeping }: Pause) => ({ epochs, keeping });

async function tiny(given: Partial<ImageTrainingOptions>, seed = 1, pause?: Pause) {
  const reports: StepReport[] = [];
  const outcome = await trainChild(classifier(tinyNetwork, tinyTask, settingsOf(given)), {
    seed,
    ...(pause === undefined ? {} : paused(pause)),
    report: async (step) => {
      reports.push(step);
    },
  });
  return { outcome, reports };
}

describe('a child', () => {
  it('is as good as the best of its last five epochs', async () => {
    const outcome = await scripted([4, 1, 2, 3, 0, 2, 1]);
    expect(outcome).toMatchObject({ status: 'ok', measures: { accuracy: 0.75 } });
    expect(epochsOf(outcome).map(({ measures }) => measures.accuracy)).toEqual([
      1, 0.25, 0.5, 0.75, 0, 0.5, 0.25,
    ]);
    // The epoch of three right ones is the sixth from the end.
    expect(await scripted([4, 3, 2, 1, 1, 1, 2])).toMatchObject({ measures: { accuracy: 0.5 } });
  });

  it('has all its measures from that one epoch, the loss included', async () => {
    const outcome = await scripted([1, 3, 2]);
    const [right, wrong] = [Math.log(1 + Math.exp(-1)), Math.log(1 + Math.E)];
    expect(outcome.measures).toMatchObject({
      accuracy: 0.75,
      loss: expect.closeTo((3 * right + wrong) / 4, 6),
    });
  });

  it('with fewer epochs is as good as the best of them', async () => {
    expect(await scripted([3, 1])).toMatchObject({ measures: { accuracy: 0.75 } });
  });

  it('reports its epochs, parameters and multiply-adds', async () => {
    const { outcome, reports } = await tiny({ epochs: 2 });
    const ends = reports.filter(({ step, stepsPerEpoch }) => step === stepsPerEpoch);
    expect(reports).toHaveLength(10);
    expect(outcome).toEqual({
      status: 'ok',
      measures: {
        accuracy: expect.any(Number),
        loss: expect.any(Number),
        params: 4 * 9 + 2 * 4 + (4 * 3 + 3),
        macs: 4 * 4 * 4 * 9 + 4 * 3,
      },
      epochs: [1, 2].map((epoch) => ({
        epoch,
        loss: ends[epoch - 1]!.loss,
        measures: { accuracy: expect.any(Number), loss: expect.any(Number) },
      })),
    });
  });

  it('has the same outcome for the same seed, and another for another seed', async () => {
    const first = await tiny({}, 1);
    expect(await tiny({}, 1)).toEqual(first);
    expect((await tiny({}, 2)).outcome).not.toEqual(first.outcome);
  });

  it('that diverges is a failed trial with a reason', async () => {
    const { outcome } = await tiny({ learningRate: 1e30 });
    expect(outcome.status).toBe('failed');
    expect(outcome.reason).toMatch(/^diverged: the loss is (NaN|Infinity) in epoch 1, step [2-5] of 5$/);
  });

  it('passes on any other error', async () => {
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

  /** Checkpoints in an empty folder. */
  const newStore = () => new FolderStore(temporaryFolder());

  const savedBy = (checkpoints: FolderStore, trial: number) =>
    readFileSync(checkpoints.load(trial) ?? expect.unreachable(`trial ${trial} has no checkpoint`));

  /** Trained for 1 epoch, then up to 4, with the file in between as `change` leaves it. */
  async function inTwo(change: (file: string) => void = () => {}) {
    const checkpoints = newStore();
    const first = await tiny(settings, 1, { trial: 0, epochs: 1, identity, checkpoints });
    change(checkpoints.load(0) as string);
    const second = await tiny(settings, 1, { trial: 1, epochs: 4, identity, checkpoints, continues: 0 });
    return { first, second, saved: savedBy(checkpoints, 1) };
  }

  async function atOnce() {
    const checkpoints = newStore();
    const { outcome } = await tiny(settings, 1, { trial: 1, epochs: 4, identity, checkpoints });
    return { outcome, saved: savedBy(checkpoints, 1) };
  }

  it('and resumed is bit for bit what it would be without the pause, with all its epochs', async () => {
    const { first, second, saved } = await inTwo();
    const whole = await atOnce();
    expect(second.outcome).toEqual(whole.outcome);
    expect(saved.equals(whole.saved)).toBe(true);
    expect(first.reports).toHaveLength(5);
    expect(second.reports).toHaveLength(15);
    expect(epochsOf(second.outcome).slice(0, 1)).toEqual(epochsOf(first.outcome));
  });

  it('and resumed to the end is the child that was never paused', async () => {
    const checkpoints = newStore();
    await tiny(settings, 1, { trial: 0, epochs: 2, identity, checkpoints });
    const { outcome } = await tiny(settings, 1, { trial: 1, epochs: 6, identity, checkpoints, continues: 0 });
    expect(outcome.epochs).toEqual((await tiny(settings)).outcome.epochs);
  });

  it.each<[string, (file: string) => void]>([
    ['is missing', (file) => rmSync(file)],
    ['is torn', (file) => truncateSync(file, 500)],
    ['is empty', (file) => writeFileSync(file, '')],
  ])('is trained from the start with the same outcome if its checkpoint %s', async (_, change) => {
    const { second, saved } = await inTwo(change);
    const whole = await atOnce();
    expect(second.outcome).toEqual(whole.outcome);
    expect(saved.equals(whole.saved)).toBe(true);
    expect(second.reports).toHaveLength(20);
  });

  it('ignores the checkpoint of another child, or of a longer training', async () => {
    const checkpoints = newStore();
    const pause = { trial: 1, epochs: 4, identity, checkpoints };
    const fresh = await tiny(settings, 1, pause);
    await tiny(settings, 2, { trial: 0, epochs: 3, identity: 'child 2', checkpoints });
    expect(await tiny(settings, 1, { ...pause, continues: 0 })).toEqual(fresh);
    await tiny(settings, 1, { trial: 0, epochs: 5, identity, checkpoints });
    expect(await tiny(settings, 1, { ...pause, continues: 0 })).toEqual(fresh);
  });

  it('is as good as its last epoch, and saves no checkpoint once its training is done', async () => {
    const right = [4, 3, 1];
    const checkpoints = newStore();
    const outcome = await trainChild(
      classifier(() => new Scripted(right), onePixel, settingsOf({ epochs: 3 })),
      { seed: 1, ...paused({ trial: 0, epochs: 3, identity, checkpoints }), report: async () => {} },
    );
    expect(outcome).toMatchObject({ status: 'ok', measures: { accuracy: 0.25 } });
    expect(checkpoints.load(0)).toBeUndefined();
  });
});

describe('a child whose worker dies', () => {
  const settings = { epochs: 4, schedule: 'cosine' } as const;
  const keeping = (checkpoints: CheckpointStore): Keeping => ({
    ...{ trial: 3, identity: 'child', checkpoints, everySeconds: 0 },
  });

  /** A child whose training ends in the middle of its third epoch. */
  async function dies(checkpoints: CheckpointStore, epochs?: number): Promise<void> {
    const child = classifier(tinyNetwork, tinyTask, settingsOf(settings));
    const context = { seed: 1, keeping: keeping(checkpoints), ...(epochs === undefined ? {} : { epochs }) };
    const report = async ({ epoch, step }: StepReport) => {
      if (epoch === 3 && step === 2) throw new Error('killed');
    };
    await expect(trainChild(child, { ...context, report })).rejects.toThrow('killed');
  }

  it('goes on after its last epoch, and comes to what it would have come to, to the bit', async () => {
    const checkpoints = new FolderStore(temporaryFolder());
    await dies(checkpoints);
    const steps: number[] = [];
    const child = classifier(tinyNetwork, tinyTask, settingsOf(settings));
    const outcome = await trainChild(child, {
      ...{ seed: 1, keeping: keeping(checkpoints) },
      report: async ({ epoch }) => {
        steps.push(epoch);
      },
    });
    expect(outcome).toEqual((await tiny(settings)).outcome);
    expect([...new Set(steps)]).toEqual([3, 4]);
    // It is at its end: nothing goes on from there.
    expect(checkpoints.load(3)).toBeUndefined();
  });

  it('on a rung goes on there too, and leaves what the next rung goes on from', async () => {
    const [ours, theirs] = [new FolderStore(temporaryFolder()), new FolderStore(temporaryFolder())];
    await dies(ours, 3);
    const pause = (checkpoints: FolderStore) => ({ ...keeping(checkpoints), epochs: 3 });
    const { outcome } = await tiny(settings, 1, pause(ours));
    expect(outcome).toEqual((await tiny(settings, 1, pause(theirs))).outcome);
    expect(readFileSync(ours.load(3) as string).equals(readFileSync(theirs.load(3) as string))).toBe(true);
  });

  it('comes to the same where there is no place to keep it', async () => {
    const child = classifier(tinyNetwork, tinyTask, settingsOf(settings));
    const nowhere: CheckpointStore = {
      address: null,
      save() {
        throw new Error('ENOSPC: no space left on device');
      },
      load: () => undefined,
      remove: () => {},
    };
    const { clock, ...outcome } = await trainChild(child, {
      ...{ seed: 1, keeping: keeping(nowhere), report: async () => {} },
    });
    expect(outcome).toEqual((await tiny(settings)).outcome);
    expect(clock?.checkpoint).toBe('not kept: ENOSPC: no space left on device');
  });
});

describe('a child that is a language model', () => {
  const space = Space.configure(dartsRnn, { hidden: 6, nodes: 2 });
  const architecture = space.decode(space.sample(Random.of(2, 'cell')));
  const text = `text:${writeTinyText(join(suiteFolder(), 'text'))}`;

  async function model(given: object, pause?: Pause) {
    const { task, settings, build, multiplyAdds } = await openTraining(
      { name: 'language-modelling', data: text, seed: 1 },
      { epochs: 6, batchSize: 10, learningRate: 2, bptt: 10, ...given },
    );
    const child = { task, settings, build: () => build(space, architecture), multiplyAdds };
    return trainChild(child, {
      seed: 1,
      ...(pause === undefined ? {} : paused(pause)),
      report: async () => {},
    });
  }

  const perplexitiesOf = (outcome: Outcome) =>
    epochsOf(outcome).map(({ measures }) => measures.perplexity as number);

  it('is as good as the lowest perplexity of its last five epochs', async () => {
    const outcome = await model({});
    const perplexities = perplexitiesOf(outcome);
    expect(perplexities).toHaveLength(6);
    expect(outcome.status).toBe('ok');
    const { perplexity, loss, macs, ...others } = (outcome as Success).measures;
    expect(perplexity).toBe(Math.min(...perplexities.slice(1)));
    expect(Math.log(perplexity as number)).toBeCloseTo(loss as number, 12);
    // Twenty words and the end of a line; a model that has learned something is better than chance.
    expect(perplexity).toBeLessThan(21);
    expect(macs).toBeGreaterThan(0);
    expect(Object.keys(others)).toEqual(['params']);
  });

  it('with a running average is measured with it, and trained as without it', async () => {
    const plain = { epochs: 2, nonMonotone: 0, keepBest: false };
    const [without, averaged] = [await model(plain), await model({ ...plain, averageDecay: 0.9 })];
    const losses = (outcome: Outcome) => epochsOf(outcome).map(({ loss }) => loss);
    expect(losses(averaged)).toEqual(losses(without));
    const [ours, theirs] = [averaged, without].map(perplexitiesOf) as [number[], number[]];
    // A mean of the weights of the last steps lags behind while they still get better.
    for (const [epoch, perplexity] of ours.entries()) expect(perplexity).toBeGreaterThan(theirs[epoch]!);
    expect(ours[1]).toBeLessThan(theirs[0]!);
  });

  it('is refused with two averages', async () => {
    await expect(model({ averageDecay: 0.9, nonMonotone: 2 })).rejects.toThrow(
      "training option 'averageDecay' is 0.9, and 'nonMonotone' 2 averages the weights too; allowed: one of the two, the other 0",
    );
  });

  it('that averages its weights is measured with the averages', async () => {
    // Whatever is not better than the epoch before makes it average: at this rate that comes soon.
    const [plain, averaged] = [
      perplexitiesOf(await model({ learningRate: 20, nonMonotone: 0 })),
      perplexitiesOf(await model({ learningRate: 20, nonMonotone: 1 })),
    ];
    const first = plain.findIndex((value, epoch) => value !== averaged[epoch]);
    expect(first).toBeGreaterThanOrEqual(2);
  });

  it('and is paused resumes as if it had never stopped, averages included', async () => {
    const given = { learningRate: 20, nonMonotone: 1 };
    const [parts, whole] = [new FolderStore(temporaryFolder()), new FolderStore(temporaryFolder())];
    const identity = 'a';
    await model(given, { trial: 0, epochs: 3, identity, checkpoints: parts });
    const second = await model(given, { trial: 1, epochs: 5, identity, checkpoints: parts, continues: 0 });
    expect(second).toEqual(await model(given, { trial: 1, epochs: 5, identity, checkpoints: whole }));
    const [ours, theirs] = [parts, whole].map((store) => readFileSync(store.load(1) as string));
    expect(ours!.equals(theirs!)).toBe(true);
  });
});
