import { join } from 'node:path';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { objectivesSchema } from '../measures/measure.js';
import { folderBegunIn } from '../runs/begun-run.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { optionValues } from '../space/options.js';
import { taskSettings } from '../tasks/task-settings.js';
import { requireReadable } from './readable-version.js';

const json = z.json() as z.ZodType<Json>;

/** An option of the grid, `training.learningRate`, with the values that are tried. */
const axis = z.strictObject({
  owner: z.enum(['space', 'training']),
  option: z.string(),
  values: z.array(json).min(1),
});

export type Axis = z.infer<typeof axis>;

const tuningSettings = z.strictObject({
  version: z.string(),
  /** As its file has it. */
  architecture: json,
  /** Options of the space that all networks have instead of those of the architecture. */
  spaceOptions: optionValues,
  /** Options of all trainings, but for the epochs. */
  training: optionValues,
  grid: z.array(axis).min(1),
  /** Epochs of a training of the grid, and of the last one. */
  epochs: z.int().min(1),
  finalEpochs: z.int().min(1),
  /** The data, with how much of it validates. */
  task: taskSettings,
  dataChecksum: z.string(),
  objectives: objectivesSchema,
  seed: z.int(),
  threads: z.int().min(1),
});

/** All that a grid search is: with the same settings, the same journal. */
export type TuningSettings = z.infer<typeof tuningSettings>;

/** What the user says; the rest is found out. */
export type TuningRequest = Omit<TuningSettings, 'version' | 'dataChecksum' | 'objectives'>;

/** The word that the journal of a grid search begins with. */
export const TUNING = 'tune';

/** The options of a point of the grid, by their paths: `training.learningRate`. */
export type Point = Readonly<Record<string, Json>>;

/** All points of a grid; the last axis changes first. */
export function pointsOf(grid: readonly Axis[]): Point[] {
  return grid.reduce<Point[]>(
    (points, { owner, option, values }) =>
      points.flatMap((point) => values.map((value) => ({ ...point, [`${owner}.${option}`]: value }))),
    [{}],
  );
}

/** The options of a point that are those of the space, or of the training. */
export function optionsIn(point: Point, owner: Axis['owner']): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(point).flatMap(([path, value]) =>
      path.startsWith(`${owner}.`) ? [[path.slice(owner.length + 1), value]] : [],
    ),
  );
}

const outcome = { value: z.number().optional(), reason: z.string().optional(), run: z.string() };
const events = z.discriminatedUnion('event', [
  z.looseObject({ event: z.literal('trained'), point: z.int(), options: optionValues, ...outcome }),
  /** Without a point where no training of the grid came to its end. */
  z.looseObject({ event: z.literal('chosen'), point: z.int().optional() }),
  z.looseObject({ event: z.literal('tested'), ...outcome }),
  z.looseObject({ event: z.literal('end') }),
]);

type TuningEvent = z.infer<typeof events>;
/** What a training of the grid came to; `point` is counted from 1. */
type TrainedPoint = Extract<TuningEvent, { event: 'trained' }>;

/** How far a grid search is. */
export interface TuningState {
  readonly path: string;
  readonly settings: TuningSettings;
  /** The folder that relative paths of the settings begin at. */
  readonly from: string;
  readonly trained: readonly TrainedPoint[];
  /** The point with the best validation measure, once all are trained. */
  readonly chosen: TrainedPoint | undefined;
  readonly tested: Extract<TuningEvent, { event: 'tested' }> | undefined;
  readonly finished: boolean;
}

/** Where the last training of a grid search lies. */
export const finalTraining = (path: string) => join(path, 'final');

/** @throws InputError for a folder without a grid search and for a journal that is broken */
export function readTuning(path: string): TuningState {
  const { journal } = RunFolder.open(path);
  const [first, ...rest] = readJournal(journal).events as [JournalEvent, ...JournalEvent[]];
  requireReadable(first, journal);
  const { event, clock: _, ...header } = first;
  const parsed = tuningSettings.safeParse(header);
  if (event !== TUNING || !parsed.success)
    throw new InputError(
      `${journal}:1: not a grid search${parsed.success ? '' : `: ${z.prettifyError(parsed.error)}`}`,
    );
  const told = rest.map((one, index) => {
    const known = events.safeParse(one);
    if (known.success) return known.data;
    throw new InputError(
      `${journal}:${index + 2}: not an event of a grid search: ${z.prettifyError(known.error)}`,
    );
  });
  const of = <E extends TuningEvent['event']>(name: E) =>
    told.filter((one): one is Extract<TuningEvent, { event: E }> => one.event === name);
  const trained = of('trained');
  const choice = of('chosen')[0]?.point;
  return {
    path,
    settings: parsed.data,
    from: folderBegunIn(first, path),
    trained,
    chosen: trained.find(({ point }) => point === choice),
    tested: of('tested')[0],
    finished: of('end').length > 0,
  };
}
