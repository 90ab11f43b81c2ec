import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EstimateContext, Estimator, TrialRequest } from '../../src/runs/estimator.js';
import { readJournal } from '../../src/runs/journal.js';
import { type JournalEvent, withoutClock } from '../../src/runs/journal-event.js';
import type { Outcome } from '../../src/runs/outcome.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { runSearch, type SearchNotice, type SearchOptions } from '../../src/runs/search.js';
import type { Proposal, Strategy, StrategyEvent, TrialResult } from '../../src/strategies/strategy.js';
import { LearningStrategy } from './learning-strategy.js';
import { measure } from './measure.js';

export const header = (workers: number, trials = 12) => ({ seed: 11, trials, workers, space: 'toy' });

export type Estimate = (request: TrialRequest, context: EstimateContext) => Promise<Outcome>;
export const estimating = (estimate: Estimate): Estimator => ({ estimate, close: async () => {} });
const measuring = estimating(async (request) => measure(request));

/** Proposes its own number, and only notes what it is told. */
export class NotingStrategy implements Strategy {
  readonly name: string = 'noting';
  readonly told: TrialResult[] = [];
  asked = 0;
  ask(): Proposal | undefined {
    return { answers: [this.asked++] };
  }
  tell(result: TrialResult): readonly StrategyEvent[] {
    this.told.push(result);
    return [];
  }
  snapshot() {
    return { json: { asked: this.asked }, tensors: new Map() };
  }
  restore({ json }: { json: unknown }): void {
    this.asked = (json as { asked: number }).asked;
  }
}

interface Run extends Omit<SearchOptions, 'folder' | 'strategy' | 'estimator'> {
  readonly path: string;
  readonly strategy?: Strategy;
  readonly estimator?: Estimator;
}

/** Begins a run where there is none and goes on with it where there is one. */
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

export function journalIn(path: string): JournalEvent[] {
  return readJournal(join(path, 'journal.jsonl')).events.map(withoutClock);
}

/** What happened, one word an event: `?2` trial 2 is asked for, `!2` its result, `*` the strategy's. */
export function order(journal: readonly JournalEvent[]): string {
  const words = journal.map(({ event, trial }) => {
    if (event === 'trial') return `?${trial}`;
    if (event === 'result') return `!${trial}`;
    return event === 'run' || event === 'end' ? event : '*';
  });
  return words.join(' ');
}
