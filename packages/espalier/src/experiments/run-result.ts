import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { readJournal } from '../runs/journal.js';
import { type JournalEvent, withoutClock } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import type { Direction } from '../statistics/summary.js';
import { bestValue } from '../tasks/measure.js';
import { judgedKey } from '../training/final-training.js';
import { architectureFile, findArchitecture } from './found-architecture.js';

/** What the final value of a run is. */
export interface ResultMeasure {
  /** `validation accuracy`. Values of measures with other names cannot be compared. */
  readonly name: string;
  readonly better: Direction;
  /** Shares are written as percentages. */
  readonly isShare: boolean;
}

/** What a run has come to, whatever its kind. */
export interface RunResult {
  readonly path: string;
  /** The first event of its journal. */
  readonly kind: string;
  readonly finished: boolean;
  readonly seed: number;
  /** Null where a network was trained that was given. */
  readonly strategy: string | null;
  readonly space: string;
  /** The data without its path. */
  readonly data: string;
  readonly dataChecksum: string;
  /** Every option but seed, version and threads, by its path: runs that have the same are one method. */
  readonly settings: Readonly<Record<string, string>>;
  readonly measure: ResultMeasure;
  /** Undefined where there is none yet, or every child failed. */
  readonly value: number | undefined;
  /** What was spent on training, in hours: seconds, on a CPU times the threads. */
  readonly hours: number;
  readonly device: 'CPU' | 'GPU';
  /** Passes over the training data that the settings ask for, of all children together. */
  readonly epochs: number;
  /** Each value measured on the way, and the hours up to it. */
  readonly course: readonly { readonly hours: number; readonly value: number }[];
  /** Of each child that was measured, what it was after each epoch. */
  readonly children: readonly (readonly number[])[];
}

const common = z.looseObject({
  seed: z.int(),
  threads: z.int().min(1),
  task: z.looseObject({ data: z.string() }),
  dataChecksum: z.string(),
});

/** What the kinds of runs have of their own. */
type OwnResult = Pick<RunResult, 'strategy' | 'space' | 'measure' | 'value' | 'epochs'> & {
  readonly device: string;
  /** What took time, in order, with what was measured at its end. */
  readonly spent: readonly { readonly seconds: number; readonly value?: number }[];
  readonly children?: RunResult['children'];
};

type ReadKind = (begin: unknown, events: readonly JournalEvent[]) => OwnResult;

const searchHeader = z.looseObject({
  strategy: z.string(),
  space: z.string(),
  trials: z.int(),
  training: z.looseObject({ epochs: z.int(), device: z.string() }),
});
const trialEpochs = z.looseObject({
  trial: z.int(),
  epochs: z.int().optional(),
  continues: z.int().optional(),
});

/** Of the trials asked for, where a strategy says how long each is trained: one that goes on has only the epochs it adds. */
function epochsAsked(events: readonly JournalEvent[]): number | undefined {
  const trials = events.filter(({ event }) => event === 'trial').map((event) => trialEpochs.parse(event));
  if (!trials.some(({ epochs }) => epochs !== undefined)) return undefined;
  const had = new Map(trials.map(({ trial, epochs = 0 }) => [trial, epochs]));
  return trials.reduce(
    (sum, { epochs = 0, continues }) =>
      sum + epochs - (continues === undefined ? 0 : (had.get(continues) ?? 0)),
    0,
  );
}

/** What was measured, in a result and in each of its epochs. */
const value = z.union([
  z.looseObject({ accuracy: z.number() }).transform(({ accuracy }) => accuracy),
  z.looseObject({ perplexity: z.number() }).transform(({ perplexity }) => perplexity),
]);
const childEpochs = z.array(value).catch([]);

const readSearch: ReadKind = (begin, events) => {
  const { strategy, space, trials, training } = searchHeader.parse(begin);
  const results = events.filter(({ event }) => event === 'result');
  const measured = results.map((result) => value.safeParse(result).data);
  // The options of a training tell what it is of, before there is a result.
  const isText = 'stretch' in training;
  const measure = isText ? perplexity('validation perplexity') : accuracy('validation accuracy');
  return {
    strategy,
    space,
    measure,
    value: bestValue(
      measure,
      measured.filter((one) => one !== undefined),
    ),
    epochs: epochsAsked(events) ?? trials * training.epochs,
    device: training.device,
    spent: results.map((result, i) => ({
      seconds: secondsOf(result),
      ...(measured[i] === undefined ? {} : { value: measured[i] }),
    })),
    children: results.map(({ epochs }) => childEpochs.parse(epochs)).filter((child) => child.length > 0),
  };
};

const trainingHeader = z.looseObject({
  judge: z.enum(['validation', 'test']).optional(),
  architecture: z.looseObject({ space: z.string() }),
  training: z.looseObject({ epochs: z.int(), device: z.string() }),
});

const readTraining: ReadKind = (begin, events) => {
  const { architecture, training, judge = 'test' } = trainingHeader.parse(begin);
  const end = endOf(events);
  const isText = numberIn(end, judgedKey(judge, 'perplexity')) !== undefined;
  const key = judgedKey(judge, isText ? 'perplexity' : 'accuracy');
  // Searches have a validation accuracy too, of another training.
  const suffix = judge === 'validation' ? ' once trained' : '';
  return {
    strategy: null,
    space: architecture.space,
    measure: isText ? perplexity(`${judge} perplexity${suffix}`) : accuracy(`${judge} accuracy${suffix}`),
    value: numberIn(end, key),
    epochs: training.epochs,
    device: training.device,
    spent: epochsOf(events).map((epoch) => ({ seconds: secondsOf(epoch) })),
  };
};

const supernetHeader = z.looseObject({
  strategy: z.string(),
  space: z.string(),
  strategyOptions: z.looseObject({ epochs: z.int(), device: z.string() }),
});

/**
 * The end has a measure where the strategy looks at the architecture that it chose. Where it does not, as in DARTS, the
 * last epoch has that of the supernet as a whole: another measure, and not to be compared with the former.
 */
const readSupernet: ReadKind = (begin, events) => {
  const { strategy, space, strategyOptions } = supernetHeader.parse(begin);
  const end = endOf(events);
  const epochs = epochsOf(events);
  const isText = [...epochs, ...(end === undefined ? [] : [end])].some(
    (event) => numberIn(event, 'perplexity') !== undefined,
  );
  const key = isText ? 'perplexity' : 'accuracy';
  const isOfSupernet = end !== undefined && numberIn(end, key) === undefined;
  const name = `validation ${key} ${isOfSupernet ? 'of the supernet' : 'with shared weights'}`;
  return {
    strategy,
    space,
    measure: isText ? perplexity(name) : accuracy(name),
    value: numberIn(isOfSupernet ? epochs.at(-1) : end, key),
    epochs: strategyOptions.epochs,
    device: strategyOptions.device,
    // Choosing takes time too, in random search with shared weights more than the training.
    spent: [...epochs, ...(end === undefined ? [] : [end])].map((event) => {
      const value = numberIn(event, key);
      return { seconds: secondsOf(event), ...(value === undefined ? {} : { value }) };
    }),
  };
};

/** The first event of the training of one network. */
export const TRAINING = 'train';

/** How a run is read, by the first event of its journal. */
const KINDS: ReadonlyMap<string, ReadKind> = new Map([
  ['run', readSearch],
  [TRAINING, readTraining],
  ['supernet', readSupernet],
]);

/**
 * What a run has come to: of a search the best child's validation accuracy, of a training what the test images say, of
 * a search with shared weights what its architecture has with them. Reads the journal and nothing else.
 *
 * @throws InputError for a folder without a run, and for a journal that is broken or of an unknown kind
 */
export function resultOf(path: string): RunResult {
  const { journal } = RunFolder.open(path);
  const { events } = readJournal(journal);
  const { event: kind, ...begin } = withoutClock(events[0] as JournalEvent);
  const read = KINDS.get(kind);
  if (read === undefined)
    throw new InputError(
      `${journal}:1: a run that begins with '${kind}' cannot be compared; known: ${[...KINDS.keys()].join(', ')}`,
    );
  try {
    const { seed, threads, task, dataChecksum } = common.parse(begin);
    const { spent, device: name, children = [], ...own } = read(begin, events);
    const device = name.startsWith('cpu') ? 'CPU' : 'GPU';
    const processors = device === 'CPU' ? threads : 1;
    let hours = 0;
    const course = spent.flatMap(({ seconds, value }) => {
      hours += (seconds * processors) / 3600;
      return value === undefined ? [] : [{ hours, value }];
    });
    return {
      path,
      kind,
      finished: endOf(events) !== undefined,
      seed,
      data: task.data.split(':')[0] as string,
      dataChecksum,
      settings: methodSettings(begin),
      hours,
      device,
      course,
      children,
      ...own,
    };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw new InputError(`${journal}:1: not the begin of a run '${kind}': ${z.prettifyError(error)}`);
  }
}

/**
 * The architecture of a run: what a search found so far, or a training trains. Without the options of its space: cells are
 * trained in larger networks than they are found in.
 *
 * @throws InputError where there is none yet
 */
export async function architectureOf({ path, kind }: RunResult): Promise<Json> {
  const file =
    kind === TRAINING
      ? trainingHeader.parse(readJournal(RunFolder.open(path).journal).events[0]).architecture
      : architectureFile(await findArchitecture(path));
  const { options: _, ...architecture } = file;
  return architecture as Json;
}

/** What a run's numbers have but is no part of its method; the data are known by their checksum. */
const NO_METHOD = ['version', 'seed', 'threads', 'task.seed', 'task.data'];

function methodSettings(begin: Readonly<Record<string, Json | undefined>>): Record<string, string> {
  const { architecture, ...options } = begin;
  const flat = Object.entries(options).flatMap(([key, value]) => flattened(key, value));
  const settings = Object.fromEntries(flat.filter(([key]) => !NO_METHOD.includes(key)));
  return architecture === undefined ? settings : { ...settings, architecture: shortChecksum(architecture) };
}

function flattened(key: string, value: Json | undefined): [string, string][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([inner, its]) => flattened(`${key}.${inner}`, its))
    : [[key, typeof value === 'string' ? value : JSON.stringify(value)]];
}

function shortChecksum(value: Json): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);
}

const accuracy = (name: string): ResultMeasure => ({ name, better: 'higher', isShare: true });
const perplexity = (name: string): ResultMeasure => ({ name, better: 'lower', isShare: false });

function endOf(events: readonly JournalEvent[]): JournalEvent | undefined {
  const last = events.at(-1);
  return last?.event === 'end' ? last : undefined;
}

function epochsOf(events: readonly JournalEvent[]): JournalEvent[] {
  return events.filter(({ event }) => event === 'epoch');
}

function numberIn(event: JournalEvent | undefined, key: string): number | undefined {
  const value = event?.[key];
  return typeof value === 'number' ? value : undefined;
}

function secondsOf({ clock }: JournalEvent): number {
  return typeof clock?.seconds === 'number' ? clock.seconds : 0;
}
