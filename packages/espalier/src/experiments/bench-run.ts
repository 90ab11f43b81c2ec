import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { ImportGraph } from '../modules/import-graph.js';
import { keepCode } from '../modules/kept-code.js';
import { deriveSeed } from '../random/random.js';
import { ChildPool } from '../runs/child-pool.js';
import type { Journal } from '../runs/journal.js';
import { type JournalEvent, withoutClock } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { resolveOptions } from '../space/options.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { createStrategy } from '../strategies/guarded-strategy.js';
import type { AnyStrategyDefinition } from '../strategies/strategy.js';
import { Table } from '../tables/table.js';
import { type TableOptions, tableOptions as tableSchema } from '../tables/table-options.js';
import { clockNow, withJournal } from '../training/journaled-epochs.js';
import { version } from '../version.js';
import { BENCH, type BenchedSearch, type BenchSettings, readBench } from './bench.js';
import { findStrategy, sharesWeights } from './find-strategy.js';
import { partNow, type RunPlace } from './places.js';
import { requireSameVersion } from './readable-version.js';
import { simulateSearch } from './simulated-search.js';

/** What the user says; the rest is found out. */
export interface BenchRequest
  extends Pick<
    BenchSettings,
    'space' | 'spaceOptions' | 'table' | 'tableOptions' | 'runs' | 'budget' | 'workers' | 'seed'
  > {
  readonly strategies: readonly Pick<BenchSettings['strategies'][number], 'name' | 'strategy' | 'options'>[];
}

/** A bench with everything that its searches need. */
interface OpenedBench {
  readonly settings: BenchSettings;
  /** The user's code that it works with. */
  readonly code: readonly ImportGraph[];
  /** Does one search. */
  search(strategy: number, run: number): BenchedSearch;
}

/**
 * Opens the table and finds the strategies.
 *
 * @param folder that relative paths begin at
 * @throws InputError for whatever is wrong with the request
 */
export async function openBench(request: BenchRequest, folder: string): Promise<OpenedBench> {
  const spacePart = await findSpace(request.space, folder);
  const space = Space.configure(spacePart.definition, request.spaceOptions);
  const tableOptions = resolveOptions('the table', tableSchema, request.tableOptions) as TableOptions;
  const table = Table.open(resolve(folder, request.table), space, tableOptions);
  const strategies: BenchSettings['strategies'] = [];
  const definitions: AnyStrategyDefinition[] = [];
  const code: ImportGraph[] = [...(spacePart.graph === undefined ? [] : [spacePart.graph])];
  for (const { name, strategy, options } of request.strategies) {
    if (strategies.some((other) => other.name === name))
      throw new InputError(
        `strategy ${name} is there twice; give each a name of its own: small=${strategy},large=${strategy}`,
      );
    const { definition, graph } = await findStrategy(strategy, folder);
    if (sharesWeights(definition))
      throw new InputError(
        `strategy ${strategy} trains one supernet, which a table of networks cannot replace`,
      );
    definitions.push(definition);
    if (graph !== undefined) code.push(graph);
    strategies.push({
      name,
      strategy,
      ...(graph === undefined ? {} : { checksum: graph.checksum }),
      options: { ...resolveOptions(`strategy ${name}`, definition.options, options) },
    });
  }
  const { runs, budget, workers, seed } = request;
  const settings: BenchSettings = {
    version,
    space: request.space,
    ...(spacePart.graph === undefined ? {} : { spaceChecksum: spacePart.graph.checksum }),
    spaceOptions: { ...space.options },
    table: request.table,
    tableChecksum: table.checksum,
    tableOptions: { ...request.tableOptions },
    objectives: table.objectives as BenchSettings['objectives'],
    optimum: table.optimum,
    strategies,
    runs,
    budget,
    workers,
    seed,
  };
  return {
    settings,
    code,
    search(strategy, run) {
      const { name, options } = strategies[strategy] as (typeof strategies)[number];
      const own = deriveSeed(seed, `bench ${run}`);
      const searching = createStrategy(definitions[strategy] as AnyStrategyDefinition, {
        space,
        seed: own,
        options,
        objectives: table.objectives,
      });
      try {
        const { trials, improvements } = simulateSearch(searching, table, budget, workers);
        return {
          event: 'searched',
          strategy: name,
          run,
          seed: own,
          trials,
          improvements: improvements.map(({ seconds, seen, judged }) => [seconds, seen, judged]),
        };
      } finally {
        searching.close();
      }
    },
  };
}

/**
 * Begins a bench in a new folder. Each strategy does its first search, so that one which cannot use the table is seen.
 *
 * @throws InputError for whatever is wrong with the request; nothing is written then
 */
export async function beginBench(path: string, request: BenchRequest): Promise<void> {
  const { settings, code, search } = await openBench(request, process.cwd());
  for (const strategy of settings.strategies.keys()) search(strategy, 0);
  RunFolder.begin(
    path,
    { event: BENCH, ...(JSON.parse(JSON.stringify(settings)) as Record<string, Json>) },
    code,
  );
}

/** Searches of one strategy that a process does one after the other. */
export interface BenchJob {
  readonly trial: number;
  readonly strategy: number;
  readonly from: number;
  /** The search after the last one. */
  readonly to: number;
}

/** What a process has done: the searches, and the seconds that each took. */
export interface BenchJobDone {
  readonly searches: readonly BenchedSearch[];
  readonly seconds: readonly number[];
}

/** What the processes of a bench begin with. */
export interface BenchInit {
  readonly request: BenchRequest;
  readonly folder: string;
}

const SEARCHES_OF_A_JOB = 5;

export interface BenchWatch {
  readonly signal: AbortSignal;
  readonly processes: number;
  /** A search is in the journal; one that was there before is not reported. */
  searched(done: number, of: number): void;
  message(text: string): void;
}

/**
 * Goes on with a bench from where the journal ends. The searches are spread over processes; the journal has them in the
 * same order whatever the number of processes.
 *
 * @returns whether it came to its end, and was not stopped
 * @throws InputError where the version, the table, or a file of the user is not what it was
 */
export async function continueBench(path: string, watch: BenchWatch): Promise<boolean> {
  const { settings, from } = readBench(path);
  requireSameVersion(settings.version, path);
  const request = requestNow(settings, { run: path, from, use: 'go on' });
  const { settings: now, code } = await openBench(request, from);
  if (settings.tableChecksum !== now.tableChecksum)
    throw new InputError(
      `the table ${settings.table} has changed since the bench was begun; its results could not be compared`,
    );
  // A process that was killed early may not have come to this.
  keepCode(path, code);
  return withJournal(path, RunFolder.open(path).journal, watch.message, async (journal) => {
    journal.write({ event: BENCH, ...JSON.parse(JSON.stringify(settings)) }, clockNow());
    const jobs = jobsOf(settings);
    const total = settings.runs * settings.strategies.length;
    const open = confirmRecorded(journal, jobs);
    if (open.length > 0 && !(await searchIn(journal, open, { request, folder: from }, total, watch)))
      return false;
    journal.write({ event: 'end' }, clockNow());
    journal.finish();
    return true;
  });
}

/** The request that a bench was begun with. */
export function requestOf({ strategies, ...settings }: BenchSettings): BenchRequest {
  const { space, spaceOptions, table, tableOptions, runs, budget, workers, seed } = settings;
  const asked = strategies.map(({ name, strategy, options }) => ({ name, strategy, options }));
  return { space, spaceOptions, table, tableOptions, runs, budget, workers, seed, strategies: asked };
}

/** The same with the paths at which the user's files are now. @throws InputError where one has changed or is gone */
function requestNow(settings: BenchSettings, place: RunPlace): BenchRequest {
  const request = requestOf(settings);
  return {
    ...request,
    space: partNow('space', settings.space, settings.spaceChecksum, place),
    strategies: settings.strategies.map(({ name, strategy, checksum, options }) => ({
      name,
      strategy: partNow('strategy', strategy, checksum, place),
      options,
    })),
  };
}

/** All searches, a few of each strategy in turn, so that there is something to compare before the end. */
function jobsOf({ strategies, runs }: BenchSettings): BenchJob[] {
  const jobs: BenchJob[] = [];
  for (let from = 0; from < runs; from += SEARCHES_OF_A_JOB)
    for (const strategy of strategies.keys())
      jobs.push({ trial: jobs.length, strategy, from, to: Math.min(from + SEARCHES_OF_A_JOB, runs) });
  return jobs;
}

/** Confirms the jobs whose searches are all in the journal. @returns the others */
function confirmRecorded(journal: Journal, jobs: readonly BenchJob[]): BenchJob[] {
  let place = 0;
  for (; place < jobs.length; place++) {
    const { from, to } = jobs[place] as BenchJob;
    if (journal.recorded.length - journal.position < to - from) break;
    for (let run = from; run < to; run++) journal.write(withoutClock(journal.next() as JournalEvent), {});
  }
  return jobs.slice(place);
}

async function searchIn(
  journal: Journal,
  jobs: readonly BenchJob[],
  init: BenchInit,
  total: number,
  { signal, processes, searched }: BenchWatch,
): Promise<boolean> {
  const pool = new ChildPool({
    module: new URL('../programs/bench-worker.js', import.meta.url),
    init: init as unknown as Json,
    workers: Array.from({ length: Math.min(processes, jobs.length) }, () => ({ threads: 1 })),
  });
  // Every job listens.
  setMaxListeners(0, signal);
  try {
    await pool.ready();
    const results = jobs.map((job) => pool.run(job, { signal, progress: () => {} }));
    // Each is awaited below; until then an error of a later one must not end the process.
    for (const result of results) result.catch(() => {});
    for (const result of results) {
      const done = await untilAborted(result, signal);
      if (done === undefined) return false;
      const { searches, seconds } = checked(done);
      for (const [place, search] of searches.entries()) {
        journal.write(search as unknown as JournalEvent, {
          ...clockNow(),
          seconds: seconds[place] as number,
        });
        // The header is the first event.
        searched(journal.position - 1, total);
      }
    }
    return true;
  } finally {
    await pool.close();
  }
}

/** @returns undefined if the signal came first */
async function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await new Promise<T>((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      result.then(resolve, reject);
    });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** @throws Error for searches that failed; the reason says why */
function checked(done: unknown): BenchJobDone {
  const outcome = done as BenchJobDone | { readonly status: 'failed'; readonly reason: string };
  if ('status' in outcome) throw new InputError(`a search failed: ${outcome.reason}`);
  return outcome;
}
