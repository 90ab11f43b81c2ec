import { existsSync, statSync } from 'node:fs';
import { setThreads } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { folderBegunIn, kindOfRun } from '../runs/begun-run.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { optionValues } from '../space/options.js';
import type { Space } from '../space/space.js';
import { taskSettings } from '../tasks/task-settings.js';
import {
  type JudgedPart,
  type TrainedNetwork,
  trainingFiles,
  trainToEnd,
} from '../training/final-training.js';
import type { StepReport } from '../training/network-training.js';
import { version } from '../version.js';
import { taskIn } from './experiment.js';
import {
  architectureFile,
  type FoundArchitecture,
  findArchitecture,
  parseArchitecture,
} from './found-architecture.js';
import { type OpenedTraining, openTraining } from './opened-training.js';

const trainingRunSettings = z.strictObject({
  version: z.string(),
  /** The content of an architecture's file. */
  architecture: z.json() as z.ZodType<Json>,
  task: taskSettings,
  dataChecksum: z.string(),
  /** Of images or of a text, by what the space's networks read. */
  training: optionValues,
  /** The test data where it is missing. Of images that validate a share is held out of the training. */
  judge: z.enum(['validation', 'test']).optional(),
  seed: z.int(),
  threads: z.int().min(1),
});

/** All that the training of one network is: with the same settings, the same journal and weights. */
type TrainingRunSettings = z.infer<typeof trainingRunSettings>;

/** The images of a training: a network that is decided on trains on all of them. */
function imagesOf<Images extends object>(judge: JudgedPart | undefined, images: Images): Images {
  return judge === 'validation' ? images : { ...images, validation: 0 };
}

/** What the user says; the rest is found out. */
type TrainingRequest = Omit<TrainingRunSettings, 'version' | 'architecture' | 'dataChecksum'>;

/** The word that the journal of a training begins with. */
const BEGIN = 'train';

/**
 * Begins the training of an architecture in a new folder.
 *
 * @throws InputError for data that is not there and for a folder that is taken; nothing is written then
 */
export function beginTraining(path: string, found: FoundArchitecture, request: TrainingRequest): void {
  const opened = checkTraining(found, request);
  const settings: TrainingRunSettings = {
    version,
    ...request,
    training: { ...opened.settings } as unknown as Record<string, Json>,
    architecture: architectureFile(found),
    dataChecksum: opened.task.checksum(),
  };
  RunFolder.begin(path, { event: BEGIN, ...(JSON.parse(JSON.stringify(settings)) as Record<string, Json>) });
}

/**
 * Opens the data and builds the network once: what does not fit is seen here and not in the run. Relative paths begin at
 * the working folder.
 *
 * @throws InputError for data that is not there, options and devices, and a network that the data does not fit
 */
export function checkTraining(
  found: Pick<FoundArchitecture, 'space' | 'architecture'>,
  request: TrainingRequest,
): OpenedTraining {
  const opened = openFor(found.space, request, process.cwd());
  opened.requireTrainable(found.space, found.architecture);
  return opened;
}

/** @param from the folder that the data's path begins at */
function openFor(
  space: Space,
  { task, training, judge }: Pick<TrainingRunSettings, 'task' | 'training' | 'judge'>,
  from: string,
): OpenedTraining {
  const own = taskIn(from, task);
  return openTraining(space, space.definition.reads === 'tokens' ? own : imagesOf(judge, own), training);
}

/** Whether a folder holds a training, and not a search. @throws InputError where it holds no run */
export function isTraining(path: string): boolean {
  return kindOfRun(path) === BEGIN;
}

/** The architecture that a training trains, and the weights that it has come to. @throws InputError before its end */
async function trainedNetwork(path: string): Promise<{ found: FoundArchitecture; weights: string }> {
  const { settings, from, journal } = readTraining(path);
  const { weights } = trainingFiles(path);
  if (!existsSync(weights))
    throw new InputError(`${path}: the training is not at its end; there are no weights yet`);
  const found = await parseArchitecture(settings.architecture, journal, from);
  return {
    found: {
      ...found,
      ...(found.space.definition.reads === 'tokens'
        ? {}
        : { task: imagesOf(settings.judge, taskIn(from, settings.task)) }),
    },
    weights,
  };
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
  const { event: _, clock: __, ...header } = first as JournalEvent;
  const parsed = trainingRunSettings.safeParse(header);
  if (!parsed.success)
    throw new InputError(`${folder.journal}:1: not a training: ${z.prettifyError(parsed.error)}`);
  const from = folderBegunIn(first as JournalEvent, path);
  return { settings: parsed.data, header, from, journal: folder.journal };
}

/** What a training says while it goes on. */
export interface TrainingWatch {
  readonly signal: AbortSignal;
  report(step: StepReport, epochs: number): void;
  epochEnded(event: JournalEvent): void;
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
  const { settings: begun, header, from, journal } = readTraining(path);
  if (begun.version !== version)
    throw new InputError(`the training was begun with Espalier ${begun.version}; this is ${version}`);
  const { space, architecture } = await parseArchitecture(begun.architecture, journal, from);
  const { task, settings, build } = openFor(space, begun, from);
  if (task.checksum() !== begun.dataChecksum)
    throw new InputError(`the data ${begun.task.data} has changed since the training was begun`);
  setThreads(begun.threads);
  return trainToEnd<object>({
    folder: path,
    begin: { event: BEGIN, ...header } as JournalEvent,
    build: () => build(space, architecture),
    task,
    settings,
    seed: begun.seed,
    judge: begun.judge ?? 'test',
    signal: watch.signal,
    report: (step) => watch.report(step, settings.epochs),
    epochEnded: watch.epochEnded,
    message: watch.message,
  });
}
