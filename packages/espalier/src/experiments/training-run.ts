import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setThreads } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { buildNetwork } from '../networks/build-network.js';
import { requireClassifier } from '../networks/require-classifier.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import type { StepReport } from '../training/network-training.js';
import { requireDevice } from '../training/device.js';
import { type TrainedNetwork, trainingFiles, trainToEnd } from '../training/final-training.js';
import { imageTaskSettings, openImageTask } from '../tasks/image-task.js';
import { trainingSettings } from '../training/training-settings.js';
import { version } from '../version.js';
import { taskIn } from './experiment.js';
import {
  architectureFile,
  type FoundArchitecture,
  findArchitecture,
  parseArchitecture,
} from './found-architecture.js';

const trainingRunSettings = z.strictObject({
  version: z.string(),
  /** The content of an architecture's file. */
  architecture: z.json() as z.ZodType<Json>,
  task: imageTaskSettings,
  dataChecksum: z.string(),
  training: trainingSettings,
  seed: z.int(),
  threads: z.int().min(1),
});

/** All that the training of one network is: with the same settings, the same journal and weights. */
export type TrainingRunSettings = z.infer<typeof trainingRunSettings>;

/** The word that the journal of a training begins with. */
const BEGIN = 'train';

/**
 * Begins the training of an architecture in a new folder.
 *
 * @throws InputError for data that is not there and for a folder that is taken; nothing is written then
 */
export function beginTraining(
  path: string,
  found: FoundArchitecture,
  request: Omit<TrainingRunSettings, 'version' | 'architecture' | 'dataChecksum'>,
): void {
  requireDevice(request.training.device);
  const taskSettings = { ...request.task, validation: 0 };
  const task = openImageTask(taskIn(process.cwd(), taskSettings));
  const network = buildNetwork(found.space, found.architecture, task.shape);
  requireClassifier(network, task.shape, found.space.name);
  network.free();
  const settings: TrainingRunSettings = {
    version,
    ...request,
    task: taskSettings,
    architecture: architectureFile(found),
    dataChecksum: task.checksum(),
  };
  RunFolder.begin(path, { event: BEGIN, ...(JSON.parse(JSON.stringify(settings)) as Record<string, Json>) });
}

/** Whether a folder holds a training, and not a search. @throws InputError where it holds no run */
export function isTraining(path: string): boolean {
  return readJournal(RunFolder.open(path).journal).events[0]?.event === BEGIN;
}

/** The architecture that a training trains, and the weights that it has come to. @throws InputError before its end */
async function trainedNetwork(path: string): Promise<{ found: FoundArchitecture; weights: string }> {
  const { settings, from, journal } = readTraining(path);
  const { weights } = trainingFiles(path);
  if (!existsSync(weights))
    throw new InputError(`${path}: the training is not at its end; there are no weights yet`);
  const found = await parseArchitecture(settings.architecture, journal, from);
  return { found: { ...found, task: taskIn(from, settings.task) }, weights };
}

/**
 * What `findArchitecture` finds, or the architecture of a training's folder with the weights that it has come to.
 *
 * @throws InputError where there is none, and for a training that is not at its end
 */
export async function findNetwork(
  path: string,
): Promise<{ found: FoundArchitecture; weights: string | undefined }> {
  return existsSync(path) && statSync(path).isDirectory() && isTraining(path)
    ? trainedNetwork(path)
    : { found: await findArchitecture(path), weights: undefined };
}

/** The settings of a begun training, from the first line of its journal. */
export function readTraining(path: string) {
  const folder = RunFolder.open(path);
  const [first] = readJournal(folder.journal).events;
  const { event: _, clock, ...header } = first as JournalEvent;
  const parsed = trainingRunSettings.safeParse(header);
  if (!parsed.success)
    throw new InputError(`${folder.journal}:1: not a training: ${z.prettifyError(parsed.error)}`);
  const from = typeof clock?.cwd === 'string' ? clock.cwd : dirname(path);
  return { settings: parsed.data, header, from, journal: folder.journal };
}

/** What a training says while it goes on. */
export interface TrainingWatch {
  readonly signal: AbortSignal;
  report(step: StepReport, epochs: number): void;
  message(text: string): void;
}

/**
 * Trains a begun training on, from its last epoch, and returns what it came to; undefined where it was stopped.
 *
 * @throws InputError where the version or the data are not what they were, and Diverged
 */
export async function continueTraining(
  path: string,
  watch: TrainingWatch,
): Promise<TrainedNetwork | undefined> {
  const { settings, header, from, journal } = readTraining(path);
  if (settings.version !== version)
    throw new InputError(`the training was begun with Espalier ${settings.version}; this is ${version}`);
  const { space, architecture } = await parseArchitecture(settings.architecture, journal, from);
  const task = openImageTask(taskIn(from, settings.task));
  if (task.checksum() !== settings.dataChecksum)
    throw new InputError(`the data ${settings.task.data} has changed since the training was begun`);
  setThreads(settings.threads);
  return trainToEnd({
    folder: path,
    begin: { event: BEGIN, ...header } as JournalEvent,
    build: () => buildNetwork(space, architecture, task.shape),
    task,
    settings: settings.training,
    seed: settings.seed,
    signal: watch.signal,
    report: (step) => watch.report(step, settings.training.epochs),
    message: watch.message,
  });
}
