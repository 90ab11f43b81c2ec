import { join } from 'node:path';
import { setThreads } from '@espalier/torch';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { EstimatorStart } from '../../src/estimators/estimator-definition.js';
import { estimators } from '../../src/estimators/estimator-names.js';
import { findEstimator } from '../../src/estimators/find-estimator.js';
import { training } from '../../src/estimators/training.js';
import '../../src/index.js';
import { InputError } from '../../src/input-error.js';
import type { ChildPool, ChildPoolOptions } from '../../src/runs/child-pool.js';
import type { TrialRequest } from '../../src/runs/estimator.js';
import { openLocalPool } from '../../src/runs/local-pool.js';
import type { Measured } from '../../src/runs/outcome.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writeTinyCifar10 } from '../cli/tiny-cifar10.js';

setThreads(1);

/** Workers that say what they are asked: the processes themselves are tested with the pool, and with the commands. */
const pools: FakePool[] = [];

class FakePool implements Pick<ChildPool, 'ready' | 'estimate' | 'close'> {
  readonly requests: TrialRequest[] = [];
  closed = false;

  constructor(readonly options: ChildPoolOptions) {
    pools.push(this);
  }

  async ready(): Promise<void> {
    if (failing !== undefined) throw failing;
  }

  async estimate(request: TrialRequest): Promise<Measured> {
    this.requests.push(request);
    return answer;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

let failing: Error | undefined;
let answer: Measured = { measures: { accuracy: 0.5 } };

vi.mock('../../src/runs/child-pool.js', () => ({
  ChildPool: class {
    constructor(options: ChildPoolOptions) {
      // biome-ignore lint/correctness/noConstructorReturn: stands for the pool
      return new FakePool(options);
    }
  },
}));

afterEach(() => {
  pools.length = 0;
  failing = undefined;
  answer = { measures: { accuracy: 0.5 } };
});

const folder = suiteFolder();
writeTinyCifar10(join(folder, 'cifar'));
const space = Space.configure(zophCnn, { layers: 1, filters: [2], filterHeights: [3], filterWidths: [3] });
const task = { name: 'image-classification', data: 'cifar10:cifar', limit: 100, seed: 1 };

/** The training estimator, opened in the folder of the data, with relative paths. */
async function open(
  given: Readonly<Record<string, unknown>> = {},
  start: Partial<EstimatorStart<never>> = {},
) {
  const options = resolveOptions('estimator training', training.options, { task, training: {}, ...given });
  return training.open({
    space,
    spaceName: 'zoph-cnn',
    options: options as never,
    seed: 3,
    workers: 2,
    folder,
    openPool: openLocalPool,
    ...start,
  });
}

const context = { signal: new AbortController().signal, progress: () => {} };
const trial = { trial: 0, answers: [0, 0, 0, []], seed: 1, space, architecture: {} };

describe('the training estimator', () => {
  it('says what it measures, on what data, for what networks, in which unit, with all its options', async () => {
    const opened = await open({ training: { epochs: 4, batchSize: 25 } });
    expect(opened.objectives.map(({ name }) => name)).toEqual(['accuracy', 'loss']);
    expect(opened.costUnit).toBe('epochs');
    expect(opened.source).toEqual({ name: 'cifar10', checksum: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(opened.input).toEqual({ channels: 3, height: 32, width: 32, classes: 10 });
    // Paths stay as they were given: the run may be moved along with its data.
    expect(opened.options).toMatchObject({
      task,
      threads: 1,
      training: { epochs: 4, batchSize: 25, learningRate: 0.1, schedule: 'constant', device: 'cpu' },
    });
    expect(opened.options).not.toHaveProperty('task.checksum');
    expect(JSON.parse(JSON.stringify(opened.options))).toEqual(opened.options);
    await opened.close?.();
    expect(pools[0]?.closed).toBe(true);
  });

  it('starts a worker for each trial at a time, on the devices one after the other and over again', async () => {
    await open(
      { threads: 3, timeoutSeconds: 60, devices: ['cpu', 'cpu:0'], training: { epochs: 4 } },
      { workers: 3 },
    );
    const { workers, timeoutSeconds, init, module } = pools[0]!.options;
    expect(workers).toEqual([
      { threads: 3, device: 'cpu' },
      { threads: 3, device: 'cpu:0' },
      { threads: 3, device: 'cpu' },
    ]);
    expect(timeoutSeconds).toBe(60);
    expect(String(module)).toMatch(/\/programs\/training-worker\.js$/);
    expect(init).toMatchObject({
      space: 'zoph-cnn',
      spaceOptions: space.options,
      // With the path from the root: a worker may be anywhere.
      task: { ...task, data: `cifar10:${join(folder, 'cifar')}` },
      training: { epochs: 4, device: 'cpu' },
      folder,
    });
    expect(JSON.parse(JSON.stringify(init))).toEqual(init);
    await open({}, { workers: 1 });
    expect(pools[1]?.options.workers).toEqual([{ threads: 1 }]);
  });

  it('has a trial cost the epochs that it adds, also where the child fails', async () => {
    const { estimate } = await open({ training: { epochs: 4 } });
    const costOf = async (more: object) => (await estimate({ ...trial, ...more }, context)).cost;
    expect(await costOf({})).toBe(4);
    expect(await costOf({ epochs: 3 })).toBe(3);
    expect(await costOf({ epochs: 9, continues: 0, epochsDone: 3 })).toBe(6);
    answer = { status: 'failed', reason: 'diverged: the loss is NaN' };
    expect(await estimate(trial, context)).toEqual({ cost: 4, ...answer });
    // The worker gets the trial without what is no JSON.
    expect(pools[0]?.requests[0]).toEqual({ trial: 0, answers: [0, 0, 0, []], seed: 1 });
  });

  it.each<
    [
      what: string,
      given: Readonly<Record<string, unknown>>,
      start: Partial<EstimatorStart<never>>,
      message: string,
    ]
  >([
    ['data that is missing', { task: { ...task, data: 'cifar10:nowhere' } }, {}, 'nowhere'],
    [
      'an unknown task',
      { task: { ...task, name: 'poetry' } },
      {},
      "task 'poetry' is unknown; known: image-classification",
    ],
    ['an unknown option', { training: { speed: 1 } }, {}, "the training has no option 'speed'"],
    ['a value that is not allowed', { training: { epochs: 0 } }, {}, "the training: option 'epochs' is 0"],
    [
      'another number of epochs than the strategy plans',
      { training: { epochs: 4 } },
      { plannedEpochs: 9 },
      'epochs 4: the strategy trains a child for up to 9, its option maxEpochs',
    ],
    ['a device that is not there', { devices: ['cuda:99'] }, {}, "device 'cuda:99' cannot be used: "],
    [
      'networks of another kind',
      {},
      { space: Space.configure(dartsRnn) },
      'space darts-rnn: its networks read tokens; needed here: images',
    ],
  ])('refuses %s before a worker starts', async (_, given, start, message) => {
    const error = await open(given, start).then(
      () => expect.unreachable('nothing was refused'),
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toContain(message);
    expect(pools).toEqual([]);
  });

  it('takes the epochs that a strategy plans where they are those of the training', async () => {
    await expect(open({ training: { epochs: 9 } }, { plannedEpochs: 9 })).resolves.toBeDefined();
  });

  it('closes its workers where they cannot start', async () => {
    failing = new Error('a worker could not start');
    await expect(open()).rejects.toThrow('a worker could not start');
    expect(pools.map(({ closed }) => closed)).toEqual([true]);
  });
});

describe('an estimator', () => {
  it('is found by its name in the box, and an unknown one is named with those that there are', async () => {
    expect([...estimators.keys()]).toEqual(['training', 'table']);
    expect(await findEstimator('training', folder)).toMatchObject({ definition: training, name: 'training' });
    await expect(findEstimator('oracle', folder)).rejects.toThrow(
      new InputError(
        "estimator 'oracle' is unknown; known: training, table, or the path of a file such as ./my-estimator.ts",
      ),
    );
  });
});
