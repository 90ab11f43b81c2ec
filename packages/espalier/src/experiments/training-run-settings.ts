import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { objectivesSchema } from '../measures/measure.js';
import { AMENDED } from '../runs/amendments.js';
import { folderBegunIn } from '../runs/begun-run.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { optionValues } from '../space/options.js';
import { taskSettings } from '../tasks/task-settings.js';
import { processesSettings } from './processes.js';
import { requireReadable } from './readable-version.js';
import { type GivenWeights, startingWeightsFile, startingWeightsSettings } from './starting-weights.js';

const trainingRunSettings = z.strictObject({
  version: z.string(),
  /** The content of an architecture's file. */
  architecture: z.json() as z.ZodType<Json>,
  task: taskSettings,
  dataChecksum: z.string(),
  /** What the network is built for. */
  input: optionValues,
  /** SHA-256 of the file with everything that using the network takes besides its weights. */
  signature: z.string(),
  objectives: objectivesSchema,
  /** Options of the training, which the task describes. */
  training: optionValues,
  /** The test data where it is missing. With validation data, a share of the training data is held out. */
  judge: z.enum(['validation', 'test']).optional(),
  /** The weights that it begins with; missing where the seed initialises all. */
  start: startingWeightsSettings.optional(),
  seed: z.int(),
  /** Of each process. */
  threads: z.int().min(1),
  /** Missing: one. */
  processes: processesSettings.optional(),
});

/** Everything that the training of one network is: with the same settings, the same journal and weights. */
export type TrainingRunSettings = z.infer<typeof trainingRunSettings>;

/** What the user says of a training; everything else is found out. */
export interface TrainingRequest
  extends Pick<TrainingRunSettings, 'task' | 'training' | 'judge' | 'seed' | 'threads' | 'processes'> {
  readonly start?: GivenWeights;
}

/** The word that the journal of a training begins with. */
export const TRAINING = 'train';

/** A begun training, from its journal; the settings as they were amended. @throws InputError where there is none */
export function readTraining(path: string) {
  const folder = RunFolder.open(path);
  const { events } = readJournal(folder.journal);
  const [first] = events as readonly [JournalEvent, ...JournalEvent[]];
  requireReadable(first, folder.journal);
  const { event: _, clock: __, ...header } = first;
  const parsed = trainingRunSettings.safeParse(header);
  if (!parsed.success)
    throw new InputError(`${folder.journal}:1: not a training: ${z.prettifyError(parsed.error)}`);
  const from = folderBegunIn(first, path);
  const epochs = events.findLast(({ event }) => event === AMENDED)?.epochs;
  const { data } = parsed;
  const settings = epochs === undefined ? data : { ...data, training: { ...data.training, epochs } };
  return { settings, header, from, journal: folder.journal, events };
}

/** What was asked for in a training that was begun. @param path its folder, which has the weights that it began with */
export function trainingRequestOf(
  { task: { checksum: _, ...task }, training, judge, start, seed, threads, processes }: TrainingRunSettings,
  path: string,
): TrainingRequest {
  return {
    task,
    training,
    ...(judge === undefined ? {} : { judge }),
    ...(start === undefined
      ? {}
      : {
          start: {
            from: start.from,
            file: start.file,
            newClassifier: start.newClassifier,
            kept: startingWeightsFile(path),
          },
        }),
    seed,
    threads,
    ...(processes === undefined ? {} : { processes }),
  };
}
