import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../src/json.js';
import { accuracy } from '../../src/measures/accuracy.js';
import type { EstimateContext, Estimator, TrialRequest } from '../../src/runs/estimator.js';
import { readJournal } from '../../src/runs/journal.js';
import {
  type JournalEvent,
  type ResultOrder,
  type RunHeader,
  withoutClock,
} from '../../src/runs/journal-event.js';
import type { Measured } from '../../src/runs/outcome.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { runSearch, type SearchNotice, type SearchOptions } from '../../src/runs/search.js';
import type { Asked, Strategy, StrategyEvent, TrialResult } from '../../src/strategies/strategy.js';
import { LearningStrategy } from './learning-strategy.js';
import { measure } from './measure.js';

export const header = (workers: number, trials = 12, order: ResultOrder = 'virtual'): RunHeader => ({
  seed: 11,
  trials,
  workers,
  order,
  objectives: [accuracy],
  space: 'toy',
});

export type Estimate = (request: TrialRequest, context: EstimateContext) => Promise<Measured>;
export const estimating = (estimate: Estimate): Estimator => ({ estimate });
const measuring = estimating(async (request) => measure(request));

/** Proposes its own number, and only notes what it is told. */
export class NotingStrategy implements Strategy {
  readonly told: TrialResult[] = [];
  asked = 0;
  ask(): Asked {
    return { answers: [this.asked++] };
  }
  tell(result: TrialResult): readonly StrategyEvent[] {
    this.told.push(result);
    return [];
  }
  snapshot() {
    return { json: { asked: this.asked }, tensors: new Map() };
  }
  restore({ json }: { readonly json: Json }): void {
    this.asked = (json as { asked: number }).asked;
  }
}

interface Run extends Omit<SearchOptions, 'folder' | 'strategy' | 'estimator'> {
  readonly path: string;
  readonly strategy?: Strategy;
  readonly estimator?: Estimator;
}

/** Begins a run, or resumes the one that is in the folder. */
export async function run({
  path,
  strategy = new LearningStrategy(),
  estimator = measuring,
  ...options
}: Run) {
  const folder = existsSync(join(path, 'journal.jsonl'))
    ? RunFolder.open(path)
    : RunFolder.create(path, options.header);
  const notices: SearchNotice[] = [];
  const end = await runSearch({
    ...options,
    folder,
    strategy,
    estimator,
    report: (notice) => {
      notices.push(notice);
      options.report?.(notice);
    },
  });
  const messages = notices.flatMap((notice) => (notice.kind === 'message' ? [notice.text] : []));
  return { ...end, notices, messages, journal: journalIn(path) };
}

export function eventsIn(path: string): readonly JournalEvent[] {
  return readJournal(join(path, 'journal.jsonl')).events;
}

export function journalIn(path: string): JournalEvent[] {
  return eventsIn(path).map(withoutClock);
}

/** The lines of a journal as they stand in the file, with their ends. */
export function linesIn(path: string): string[] {
  return readFileSync(join(path, 'journal.jsonl'), 'utf8').split(/(?<=\n)/);
}

/** The text of a journal without the clocks, which come last in their lines. */
export function textWithoutClocks(path: string): string {
  return linesIn(path)
    .map((line) => line.slice(0, line.lastIndexOf(',"clock":')))
    .join('\n');
}

/** What happened, a word per event: `?2` trial 2 is asked for, `!2` its result, `*` an event of the strategy. */
export function order(journal: readonly JournalEvent[]): string {
  const words = journal.map(({ event, trial }) => {
    if (event === 'trial') return `?${trial}`;
    if (event === 'result') return `!${trial}`;
    return ['run', 'limit', 'end'].includes(event) ? event : '*';
  });
  return words.join(' ');
}
