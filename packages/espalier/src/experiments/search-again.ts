import { resolve } from 'node:path';
import { InputError } from '../input-error.js';
import { readJournal } from '../runs/journal.js';
import { type JournalEvent, type RunHeader, withoutClock } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import type { TaskSettings } from '../tasks/task-settings.js';
import { headerOf, prepareExperiment, settingsOf, taskIn } from './experiment.js';
import { isSpaceFile } from './find-space.js';
import { beginSupernetRun, readSupernetRun } from './supernet-run.js';

/** What is other in a search that is begun again. */
export interface SearchChanges {
  readonly seed?: number;
  /** The folder that relative paths of the settings begin at; the working folder where it is missing. */
  readonly from?: string;
}

/**
 * Begins a search of the same settings in a new folder.
 *
 * @param path of the search that was
 * @throws InputError for what has gone meanwhile: a space, the data; and for a run that is no search
 */
export async function beginSearchAgain(
  path: string,
  out: string,
  changes: SearchChanges = {},
): Promise<void> {
  const { journal } = RunFolder.open(path);
  const [begin] = readJournal(journal).events as [JournalEvent];
  if (begin.event === 'supernet') {
    const { version: _, spaceChecksum, dataChecksum, ...request } = (await readSupernetRun(path)).settings;
    return beginSupernetRun(out, changed(request, changes));
  }
  if (begin.event !== 'run')
    throw new InputError(`${journal}:1: a run that begins with '${begin.event}' is no search`);
  const { event: _, ...header } = withoutClock(begin);
  const { version: __, spaceChecksum, dataChecksum, ...request } = settingsOf(header as RunHeader);
  const { settings, pool } = await prepareExperiment(changed(request, changes), process.cwd());
  try {
    RunFolder.create(out, headerOf(settings));
  } finally {
    await pool.close();
  }
}

/** Which images are held out follows the seed, as in `espalier search`. */
function changed<
  Request extends { readonly seed: number; readonly space: string; readonly task: TaskSettings },
>(request: Request, { seed = request.seed, from = '.' }: SearchChanges): Request {
  const { task, space } = request;
  const isHere = resolve(from) === process.cwd();
  const own = task.seed === request.seed ? { ...task, seed } : task;
  return {
    ...request,
    seed,
    space: isHere || !isSpaceFile(space) ? space : resolve(from, space),
    task: isHere ? own : taskIn(resolve(from), own),
  };
}
