import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Objectives } from '../measures/measure.js';
import type { ImportGraph } from '../modules/import-graph.js';
import { folderBegunIn } from '../runs/begun-run.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { Space } from '../space/space.js';
import { type FoundArchitecture, originOf } from './found-architecture.js';
import { spaceNow, taskNow } from './places.js';
import { requireReadable } from './readable-version.js';
import { type SupernetRunSettings, supernetRunSettings } from './supernet-run-settings.js';

/** What a search with shared weights has come to so far. */
export interface SupernetRunState {
  readonly settings: SupernetRunSettings;
  /** Its folder. */
  readonly path: string;
  /** The folder that relative paths of the settings begin at. */
  readonly from: string;
  readonly space: Space;
  /** The code of a user's space. */
  readonly code?: ImportGraph;
  readonly objectives: Objectives;
  readonly epochs: readonly JournalEvent[];
  /** What the strategy journaled while it chose. */
  readonly choice: readonly JournalEvent[];
  /** The last event of a finished search. */
  readonly end: JournalEvent | undefined;
}

/** Reads the journal of such a search, and runs no code of the user. Errors as in `readSupernetRun`. */
export function readSupernetJournal(path: string): Omit<SupernetRunState, 'space' | 'code'> {
  const folder = RunFolder.open(path);
  const [first, ...events] = readJournal(folder.journal).events;
  requireReadable(first as JournalEvent, folder.journal);
  const { event: _, clock: __, ...header } = first as JournalEvent;
  const parsed = supernetRunSettings.safeParse(header);
  if (!parsed.success)
    throw new InputError(
      `${folder.journal}:1: not a search with shared weights: ${z.prettifyError(parsed.error)}`,
    );
  const settings = parsed.data;
  return {
    settings,
    path,
    from: folderBegunIn(first as JournalEvent, path),
    objectives: settings.objectives,
    epochs: events.filter(({ event }) => event === 'epoch'),
    choice: events.filter(({ event }) => event !== 'epoch' && event !== 'end'),
    end: events.find(({ event }) => event === 'end'),
  };
}

/**
 * What such a search has come to. A space whose file has changed meanwhile is read from the run's copy of it.
 *
 * @throws InputError for a folder without such a search, and for a broken journal
 */
export async function readSupernetRun(path: string): Promise<SupernetRunState> {
  const run = readSupernetJournal(path);
  return { ...run, ...(await spaceNow(run.settings, { run: path, from: run.from, use: 'read' })) };
}

/**
 * The architecture that a search with shared weights has found, or stands at after its last epoch, in the network that
 * the space trains from scratch; the search has a smaller one.
 *
 * @throws InputError where it has come to none yet
 */
export function foundBy({
  space,
  code,
  settings,
  path,
  from,
  epochs,
  end,
}: SupernetRunState): FoundArchitecture {
  const architecture = end?.architecture ?? epochs.at(-1)?.architecture;
  if (architecture === undefined)
    throw new InputError(
      `${path}: the search has come to no architecture yet; it has done ${epochs.length} epochs`,
    );
  const { definition, options } = space;
  const searched = Object.keys(definition.searched ?? {});
  const own = Space.configure(
    definition,
    Object.fromEntries(Object.entries(options).filter(([name]) => !searched.includes(name))),
  );
  return {
    space: own,
    architecture: own.validate(architecture),
    ...(code === undefined ? {} : { code }),
    ...originOf(
      settings.space,
      from,
      taskNow(settings.task, { run: path, from, use: 'read' }),
      settings.input,
    ),
    training: {
      options: settings.strategyOptions,
      sharesWeights: true,
      dataChecksum: settings.dataChecksum,
    },
  };
}
