import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Random } from '../random/random.js';
import { optionValues } from '../space/options.js';
import { requireDevice } from '../tasks/device.js';
import { taskIn, taskSettings } from '../tasks/task-settings.js';
import { openTraining, plainInput } from '../training/opened-training.js';
import { defineEstimator } from './estimator-definition.js';
import type { WorkerInit } from './worker-init.js';

const options = z.strictObject({
  task: taskSettings,
  /** Options of the training of a child, which the task describes. */
  training: optionValues,
  /** Of each worker. */
  threads: z.int().min(1).default(1).describe('threads of each worker'),
  timeoutSeconds: z
    .number()
    .positive()
    .optional()
    .describe(
      'a child that takes longer has failed (default: 20 times the median of the others, and at least a minute)',
    ),
  devices: z
    .array(z.string())
    .nonempty()
    .optional()
    .describe('devices of the workers, one after the other and over again; by default that of the training'),
});

/**
 * Trains each child network from scratch, in worker processes, and measures it on validation data as Zoph & Le 2016 do
 * (section 4.1).
 */
export const training = defineEstimator<z.output<typeof options>>({
  name: 'training',
  options,
  async open({
    space,
    spaceName,
    spaceChecksum,
    options: given,
    seed,
    workers,
    folder,
    openPool,
    plannedEpochs,
  }) {
    const task = taskIn(folder, given.task);
    const opened = await openTraining(task, given.training);
    const { epochs } = opened.settings;
    if (plannedEpochs !== undefined && plannedEpochs !== epochs)
      throw new InputError(
        `epochs ${epochs}: the strategy trains a child for up to ${plannedEpochs}, its option maxEpochs`,
      );
    for (const device of given.devices ?? []) requireDevice(device);
    // A space whose networks cannot be trained would make a search of failed trials.
    opened.requireTrainable(space, space.decode(space.sample(Random.of(seed, 'first network'))), [
      'validation',
    ]);
    const init: WorkerInit = {
      space: spaceName,
      ...(spaceChecksum === undefined ? {} : { spaceChecksum }),
      ...(opened.graph === undefined ? {} : { taskChecksum: opened.graph.checksum }),
      spaceOptions: space.options,
      task,
      training: opened.options,
      folder,
    };
    const { threads, timeoutSeconds, devices = [] } = given;
    const source = { name: given.task.data.split(':')[0] as string, checksum: opened.data.checksum() };
    const pool = openPool({
      module: new URL('../programs/training-worker.js', import.meta.url),
      workers: Array.from({ length: workers }, (_, worker) => {
        const device = devices[worker % devices.length];
        return { threads, ...(device === undefined ? {} : { device }) };
      }),
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      init: init as unknown as Json,
      data: source,
      objectives: opened.definition.measures,
    });
    try {
      await pool.ready();
    } catch (error) {
      await pool.close();
      throw error;
    }
    return {
      objectives: opened.task.measures,
      costUnit: 'epochs',
      source,
      input: plainInput(opened),
      options: {
        ...given,
        task: { ...given.task, ...(opened.graph === undefined ? {} : { checksum: opened.graph.checksum }) },
        training: opened.options,
      } as unknown as Record<string, Json>,
      notes: [...(opened.data.notes ?? []), ...(pool.notes ?? [])],
      begin: (search) => pool.begin?.(search),
      forget: (trial) => pool.forget?.(trial),
      ...(opened.graph === undefined ? {} : { code: [opened.graph] }),
      async estimate(trial, context) {
        const { space: _, architecture: __, ...request } = trial;
        // Epochs, also of a child that failed: a search with a budget of them must come to its end.
        const cost = (trial.epochs ?? epochs) - (trial.epochsDone ?? 0);
        return { cost, ...(await pool.estimate(request, context, cost)) };
      },
      close: () => pool.close(),
    };
  },
});
