import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setThreads } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Random } from '../random/random.js';
import { ChildPool } from '../runs/child-pool.js';
import type { RunHeader } from '../runs/journal-event.js';
import { optionValues, resolveOptions } from '../space/options.js';
import { type InputShape, Space, type TokenInput } from '../space/space.js';
import type { Strategy } from '../strategies/strategy.js';
import { strategyNamed } from '../strategies/strategy-names.js';
import { type TaskSettings, taskSettings } from '../tasks/task-settings.js';
import { languageTrainingSettings, trainingSettings } from '../training/training-settings.js';
import { version } from '../version.js';
import { findSpace } from './find-space.js';
import { openTraining } from './opened-training.js';

/** All that a search is: with the same settings, the same journal. */
const experimentSettings = z.strictObject({
  version: z.string(),
  /** A name, or the path of a file. */
  space: z.string(),
  /** SHA-256 of the file of a user's space. */
  spaceChecksum: z.string().optional(),
  spaceOptions: optionValues,
  strategy: z.string(),
  strategyOptions: optionValues,
  task: taskSettings,
  /** SHA-256 of the images and labels. */
  dataChecksum: z.string(),
  /** Of images or of a text, by what the space's networks read. */
  training: z.union([trainingSettings.strict(), languageTrainingSettings.strict()]),
  seed: z.int(),
  trials: z.int().min(1),
  workers: z.int().min(1),
  /** Threads of each worker. */
  threads: z.int().min(1),
  timeoutSeconds: z.number().positive().optional(),
});

export type ExperimentSettings = z.infer<typeof experimentSettings>;

/** What the user says; the rest is found out. */
export type ExperimentRequest = Omit<ExperimentSettings, 'version' | 'spaceChecksum' | 'dataChecksum'>;

/** A search with everything that it needs, checked before anything is written. */
export interface Experiment {
  readonly settings: ExperimentSettings;
  readonly space: Space;
  readonly strategy: Strategy;
  /** What the networks read. */
  readonly input: InputShape | TokenInput;
  /** Worker processes that train the children; to be closed. */
  readonly pool: ChildPool;
}

/** What a worker process is told when it starts. */
export interface ChildInit {
  readonly space: string;
  readonly spaceOptions: Record<string, Json>;
  readonly task: ExperimentSettings['task'];
  readonly training: ExperimentSettings['training'];
  readonly threads: number;
  /** The folder that relative paths begin at. */
  readonly folder: string;
}

/** The data's path, if it has one, from where the run was begun. */
export function taskIn(folder: string, task: TaskSettings): TaskSettings {
  const colon = task.data.indexOf(':');
  return colon < 0
    ? task
    : { ...task, data: `${task.data.slice(0, colon)}:${resolve(folder, task.data.slice(colon + 1))}` };
}

/**
 * Makes a search ready: finds the space, checks every option, opens the data, builds one network of the space and
 * starts the workers. This process computes on one thread from now on: the cores are the workers'.
 *
 * @param folder that relative paths begin at
 * @throws InputError for whatever is wrong with the request
 */
export async function prepareExperiment(request: ExperimentRequest, folder: string): Promise<Experiment> {
  const { definition, checksum } = await findSpace(request.space, folder);
  const space = Space.configure(definition, request.spaceOptions);
  const strategyDefinition = strategyNamed(request.strategy);
  const strategyOptions = resolveOptions(
    `strategy ${request.strategy}`,
    strategyDefinition.options,
    request.strategyOptions,
  );
  const planned = strategyDefinition.plan?.(strategyOptions).epochs;
  if (planned !== undefined && planned !== request.training.epochs)
    throw new InputError(
      `epochs ${request.training.epochs}: strategy ${request.strategy} trains a child for up to ${planned}, its option maxEpochs`,
    );
  const taskSettings = taskIn(folder, request.task);
  const { task, input, requireTrainable } = openTraining(space, taskSettings, request.training);
  // A space whose networks cannot be trained would make a search of failed trials.
  requireTrainable(space, space.decode(space.sample(Random.of(request.seed, 'first network'))));
  const settings: ExperimentSettings = {
    version,
    ...request,
    ...(checksum === undefined ? {} : { spaceChecksum: checksum }),
    spaceOptions: { ...space.options },
    strategyOptions: { ...strategyOptions },
    dataChecksum: task.checksum(),
  };
  // What a strategy computes is little, and a second thread of this process would wait for a core that a worker has: half
  // of what a search with children of a second took besides them (npm run bench:overhead).
  setThreads(1);
  const strategy = strategyDefinition.create({ space, seed: request.seed, options: strategyOptions });
  const init: ChildInit = {
    space: request.space,
    spaceOptions: settings.spaceOptions,
    task: taskSettings,
    training: settings.training,
    threads: settings.threads,
    folder,
  };
  const pool = new ChildPool({
    module: new URL('./child-main.js', import.meta.url),
    workers: settings.workers,
    ...(settings.timeoutSeconds === undefined ? {} : { timeoutSeconds: settings.timeoutSeconds }),
    init: init as unknown as Json,
    env: { OMP_NUM_THREADS: String(settings.threads) },
  });
  try {
    await pool.ready();
  } catch (error) {
    await pool.close();
    throw error;
  }
  return { settings, space, strategy, input, pool };
}

/** The settings in the header of a run's journal. @throws InputError where they are not those of a search */
export function settingsOf(header: RunHeader): ExperimentSettings {
  const parsed = experimentSettings.safeParse(header);
  if (!parsed.success)
    throw new InputError(`the journal's header is of no search: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export function headerOf(settings: ExperimentSettings): RunHeader {
  return JSON.parse(JSON.stringify(settings)) as RunHeader;
}

/**
 * Makes a begun search ready to go on.
 *
 * @throws InputError where the version, the space's file or the data are not what they were
 */
export async function prepareResume(header: RunHeader, folder: string): Promise<Experiment> {
  const { version: begun, spaceChecksum, dataChecksum, ...request } = settingsOf(header);
  if (begun !== version)
    throw new InputError(
      `the run was begun with Espalier ${begun}; this is ${version}, which may search differently`,
    );
  if (!existsSync(folder))
    throw new InputError(`the run was begun in ${folder}, which is not there any more`);
  const experiment = await prepareExperiment(request, folder);
  const { settings, pool } = experiment;
  const changed =
    settings.dataChecksum !== dataChecksum
      ? `the data ${request.task.data}`
      : settings.spaceChecksum !== spaceChecksum
        ? `the file of the space ${request.space}`
        : undefined;
  if (changed !== undefined) {
    await pool.close();
    throw new InputError(
      `${changed} has changed since the run was begun; a resumed run would not be the same`,
    );
  }
  return experiment;
}
