import { createHash } from 'node:crypto';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { Measure } from '../measures/measure.js';
import { partLabel } from '../modules/find-part.js';
import { readJournal } from '../runs/journal.js';
import { type JournalEvent, withoutClock } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { requireReadable } from './readable-version.js';

/** The measure of the final value of a run; its name says on what data: `validation accuracy`. */
export type ResultMeasure = Pick<Measure, 'name' | 'better' | 'shown'>;

/** What a run has come to, whatever its kind. */
export interface RunResult {
  readonly path: string;
  /** The first event of its journal. */
  readonly kind: string;
  readonly finished: boolean;
  readonly seed: number;
  /** Null where a given network was trained. */
  readonly strategy: string | null;
  readonly space: string;
  /** What was measured on, without its path: `mnist`. */
  readonly data: string;
  readonly dataChecksum: string;
  /** Every option but seed, version and threads, by its path: runs with the same ones are one method. */
  readonly settings: Readonly<Record<string, string>>;
  readonly measure: ResultMeasure;
  /** Undefined where there is none yet, or every child failed. */
  readonly value: number | undefined;
  /** Hours spent on measuring: seconds, on a CPU times the threads. */
  readonly hours: number;
  readonly device: 'CPU' | 'GPU';
  /** What the settings allow the run to spend, or what it has spent where they do not say. */
  readonly budget: Budget;
  /** Each value measured on the way, and the hours up to it. */
  readonly course: readonly { readonly hours: number; readonly value: number }[];
  /** Of each child that was measured, its value after each epoch. */
  readonly children: readonly (readonly number[])[];
}

/** An amount in a unit: epochs, trials, simulated seconds. */
export interface Budget {
  readonly amount: number;
  readonly unit: string;
}

/** What the kinds of runs have of their own. */
export type OwnResult = Pick<
  RunResult,
  'strategy' | 'space' | 'data' | 'dataChecksum' | 'measure' | 'value' | 'budget'
> & {
  readonly threads: number;
  readonly device: string;
  /** What took time, in order, with the value measured at its end. */
  readonly spent: readonly { readonly seconds: number; readonly value?: number }[];
  readonly children?: RunResult['children'];
};

/** Reads the journal of a run of one kind. */
export type ReadResult = (begin: unknown, events: readonly JournalEvent[], path: string) => OwnResult;

/**
 * What a run has come to, as its kind reads it. Reads the journal and nothing else.
 *
 * @throws InputError for a folder without a run, and for a broken journal
 */
export function readResult(path: string, read: ReadResult): RunResult {
  const { journal } = RunFolder.open(path);
  const { events } = readJournal(journal);
  requireReadable(events[0] as JournalEvent, journal);
  const { event: kind, ...begin } = withoutClock(events[0] as JournalEvent);
  try {
    const { seed } = z.looseObject({ seed: z.int() }).parse(begin);
    const { spent, device: name, threads, children = [], ...own } = read(begin, events, path);
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
      settings: methodSettings(begin),
      hours,
      device,
      course,
      children,
      ...own,
    };
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    throw new InputError(`${journal}:1: a run cannot begin like this: ${z.prettifyError(error)}`);
  }
}

/** What a run's numbers depend on but is no part of its method. The data are known by their checksum. */
const NO_METHOD = /^(version|seed|.*\bthreads|(.*\.)?task\.seed|(.*\.)?task\.data|signature)$/;

/** What may name a file of the user. Its checksum tells files apart, so runs that were begun in different folders are one method. */
const NAMES_A_PART = /^(.*\.)?(space|strategy|estimator|name)$/;

function methodSettings(begin: Readonly<Record<string, Json | undefined>>): Record<string, string> {
  const { architecture, ...options } = begin;
  const flat = Object.entries(options).flatMap(([key, value]) => flattened(key, value));
  const settings = Object.fromEntries(
    flat.flatMap(([key, value]) =>
      NO_METHOD.test(key) ? [] : [[key, NAMES_A_PART.test(key) ? partLabel(value) : value]],
    ),
  );
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

/** The last event of a run that is finished. */
export function endOf(events: readonly JournalEvent[]): JournalEvent | undefined {
  const last = events.at(-1);
  return last?.event === 'end' ? last : undefined;
}

export function epochsOf(events: readonly JournalEvent[]): JournalEvent[] {
  return events.filter(({ event }) => event === 'epoch');
}

/** A measure in the record of an event. */
export function measureIn(event: JournalEvent | undefined, name: string): number | undefined {
  const measures = event?.measures as Readonly<Record<string, Json>> | undefined;
  const value = measures?.[name];
  return typeof value === 'number' ? value : undefined;
}

export function secondsOf({ clock }: JournalEvent): number {
  return typeof clock?.seconds === 'number' ? clock.seconds : 0;
}
