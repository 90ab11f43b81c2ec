import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { folderBegunIn } from '../runs/begun-run.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { optionValues } from '../space/options.js';
import { taskSettings } from '../tasks/task-settings.js';
import { requireReadable } from './readable-version.js';

const json = z.json() as z.ZodType<Json>;

/** An architecture that may be its method's: given, found by a search that is given, or yet to be found. */
const candidateSettings = z.strictObject({
  /** No other candidate has it; folders are called by it. */
  name: z.string(),
  /** The folder of the search that found it; of a search to come, of the one whose settings it has. */
  search: z.string().optional(),
  /** The search is yet to be done, with this seed. */
  seed: z.int().optional(),
  /** The content of its file; missing where it is yet to be found. */
  architecture: json.optional(),
  /** What the search measured it to be, where it is not the best of the search. */
  value: z.number().optional(),
});

const methodSettings = z.strictObject({
  name: z.string(),
  /** Options of the space that the trained networks have instead of those of the search. */
  spaceOptions: optionValues,
  /** Options of its trainings, but for the epochs. */
  training: optionValues,
  /** Epochs of a training in stage 2. */
  epochs2: z.int().min(1),
  /** Epochs of a training in stage 3. */
  epochs: z.int().min(1),
  candidates: z.array(candidateSettings).min(1),
});

const evaluationSettings = z.strictObject({
  version: z.string(),
  methods: z.array(methodSettings).min(1),
  /** The data of the trainings, with how much of it validates in stage 2. */
  task: taskSettings,
  dataChecksum: z.string(),
  /** Seed of the trainings of stage 2, and the first of those of stage 3. */
  seed: z.int(),
  testSeeds: z.int().min(1),
  threads: z.int().min(1),
});

/** All that an evaluation is: with the same settings, the same journal. */
export type EvaluationSettings = z.infer<typeof evaluationSettings>;

/** What the user says; the rest is found out. */
export type EvaluationRequest = Omit<EvaluationSettings, 'version' | 'dataChecksum'>;

/** What some architectures are searched by, or one that is given. */
export type EvaluatedMethod = z.infer<typeof methodSettings>;
export type Candidate = z.infer<typeof candidateSettings>;

/** The word that the journal of an evaluation begins with. */
export const EVALUATION = 'evaluate';

const outcome = {
  method: z.string(),
  candidate: z.string(),
  /** Folder of the run; inside of the evaluation's unless it was given. */
  run: z.string(),
  /** Missing where the run failed. */
  value: z.number().optional(),
  reason: z.string().optional(),
};

const events = z.discriminatedUnion('event', [
  z.looseObject({ event: z.literal('searched'), ...outcome, architecture: json.optional() }),
  z.looseObject({ event: z.literal('trained'), ...outcome }),
  z.looseObject({
    event: z.literal('picked'),
    method: z.string(),
    /** Missing where no candidate could be trained. */
    candidate: z.string().optional(),
    architecture: json.optional(),
  }),
  z.looseObject({ event: z.literal('tested'), ...outcome, seed: z.int() }),
  z.looseObject({ event: z.literal('end') }),
]);

type EvaluationEvent = z.infer<typeof events>;
/** What one run came to. */
export type RunOutcome = Extract<EvaluationEvent, { event: 'searched' | 'trained' | 'tested' }>;

/** How far an evaluation is. */
export interface EvaluationState {
  readonly path: string;
  readonly settings: EvaluationSettings;
  /** The folder that relative paths of the settings begin at. */
  readonly from: string;
  readonly outcomes: readonly RunOutcome[];
  /** The candidate that each method goes into the last stage with, by the method's name. */
  readonly picked: ReadonlyMap<string, string>;
  readonly finished: boolean;
}

/** @throws InputError for a folder without an evaluation and for a journal that is broken */
export function readEvaluation(path: string): EvaluationState {
  const { journal } = RunFolder.open(path);
  const [first, ...rest] = readJournal(journal).events as [JournalEvent, ...JournalEvent[]];
  requireReadable(first, journal);
  const { event, clock: _, ...header } = first;
  const parsed = evaluationSettings.safeParse(header);
  if (event !== EVALUATION || !parsed.success)
    throw new InputError(
      `${journal}:1: not an evaluation${parsed.success ? '' : `: ${z.prettifyError(parsed.error)}`}`,
    );
  const told = rest.map((one, index) => {
    const known = events.safeParse(one);
    if (known.success) return known.data;
    throw new InputError(
      `${journal}:${index + 2}: not an event of an evaluation: ${z.prettifyError(known.error)}`,
    );
  });
  return {
    path,
    settings: parsed.data,
    from: folderBegunIn(first, path),
    outcomes: told.filter((one): one is RunOutcome => 'run' in one),
    picked: new Map(
      told.flatMap((one) =>
        one.event === 'picked' && one.candidate !== undefined ? [[one.method, one.candidate]] : [],
      ),
    ),
    finished: told.at(-1)?.event === 'end',
  };
}
