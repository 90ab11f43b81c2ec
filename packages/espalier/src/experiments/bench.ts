import { z } from 'zod';
import { InputError } from '../input-error.js';
import { objectivesSchema } from '../measures/measure.js';
import { folderBegunIn } from '../runs/begun-run.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { optionValues } from '../space/options.js';
import { requireReadable } from './readable-version.js';

const benchedStrategy = z.strictObject({
  /** What reports call it; no other strategy of the bench has this name. */
  name: z.string(),
  /** A name, or the path of a file. */
  strategy: z.string(),
  checksum: z.string().optional(),
  options: optionValues,
});

const benchSettings = z.strictObject({
  version: z.string(),
  space: z.string(),
  spaceChecksum: z.string().optional(),
  spaceOptions: optionValues,
  /** Path of the table. */
  table: z.string(),
  tableChecksum: z.string(),
  tableOptions: optionValues,
  /** What the architectures of the table are judged by. */
  objectives: objectivesSchema,
  /** The best value in the table. */
  optimum: z.number(),
  strategies: z.array(benchedStrategy).min(1),
  /** Searches of each strategy. */
  runs: z.int().min(1),
  /** Simulated seconds of a search. */
  budget: z.number().positive(),
  /** Trials of a search that run at once on its simulated clock. */
  workers: z.int().min(1),
  seed: z.int(),
});

/** Everything that a bench depends on: with the same settings, the same journal. */
export type BenchSettings = z.infer<typeof benchSettings>;

/** The word that the journal of a bench begins with. */
export const BENCH = 'bench';

const searched = z.looseObject({
  event: z.literal('searched'),
  /** The name of the strategy. */
  strategy: z.string(),
  /** Counted from 0. Searches of the same number have the same seed. */
  run: z.int().min(0),
  seed: z.int(),
  trials: z.int().min(0),
  /** Simulated seconds, what the search sees, what it is judged by: each time that the search finds something better. */
  improvements: z.array(z.tuple([z.number(), z.number(), z.number()])),
});

/** What one search came to. */
export type BenchedSearch = z.infer<typeof searched>;

const events = z.discriminatedUnion('event', [searched, z.looseObject({ event: z.literal('end') })]);

export interface BenchState {
  readonly path: string;
  readonly settings: BenchSettings;
  /** The folder that relative paths of the settings begin at. */
  readonly from: string;
  readonly searches: readonly BenchedSearch[];
  /** Seconds that each search took, in the same order. */
  readonly seconds: readonly number[];
  readonly finished: boolean;
}

/** @throws InputError for a folder without a bench, and for a journal that is broken */
export function readBench(path: string): BenchState {
  const { journal } = RunFolder.open(path);
  const [first, ...rest] = readJournal(journal).events as [JournalEvent, ...JournalEvent[]];
  requireReadable(first, journal);
  const { event, clock: _, ...header } = first;
  const parsed = benchSettings.safeParse(header);
  if (event !== BENCH || !parsed.success)
    throw new InputError(
      `${journal}:1: not a bench${parsed.success ? '' : `: ${z.prettifyError(parsed.error)}`}`,
    );
  const told = rest.map((one, index) => {
    const known = events.safeParse(one);
    if (known.success) return known.data;
    throw new InputError(`${journal}:${index + 2}: not an event of a bench: ${z.prettifyError(known.error)}`);
  });
  const searches = told.filter((one): one is BenchedSearch => one.event === 'searched');
  return {
    path,
    settings: parsed.data,
    from: folderBegunIn(first, path),
    searches,
    seconds: rest.slice(0, searches.length).map(({ clock }) => Number(clock?.seconds ?? 0)),
    finished: told.at(-1)?.event === 'end',
  };
}
