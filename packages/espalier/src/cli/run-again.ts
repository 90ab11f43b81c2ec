import { headerOf, prepareExperiment, prepareResume, settingsOf } from '../experiments/experiment.js';
import { parseArchitecture, readRun } from '../experiments/found-architecture.js';
import { beginSupernetRun, readSupernetRun } from '../experiments/supernet-run.js';
import { beginTraining, readTraining } from '../experiments/training-run.js';
import { type JournalEvent, type RunHeader, withoutClock } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { runToEnd } from './run-search.js';
import { runSupernet } from './run-supernet.js';
import { runTraining } from './run-training.js';
import type { Terminal } from './terminal.js';

/** How a kind of run is done a second time. */
interface KindOfRun {
  /**
   * Begins a run of the same settings in a new folder. Relative paths begin at the working folder.
   *
   * @param path of the run that was
   * @param begin the first event of its journal
   * @throws InputError for what has gone meanwhile: a space, the data
   */
  begin(path: string, begin: JournalEvent, out: string): Promise<void>;
  /** Goes on with a begun run to its end; false where it was stopped. */
  goOn(path: string, terminal: Terminal): Promise<boolean>;
}

const search: KindOfRun = {
  async begin(_path, begin, out) {
    const { event: _, ...header } = withoutClock(begin);
    const { version: __, spaceChecksum, dataChecksum, ...request } = settingsOf(header as RunHeader);
    const { settings, pool } = await prepareExperiment(request, process.cwd());
    try {
      RunFolder.create(out, headerOf(settings));
    } finally {
      await pool.close();
    }
  },
  async goOn(path, terminal) {
    const { settings, from, folder } = await readRun(path);
    const experiment = await prepareResume(headerOf(settings), from);
    return (await runToEnd(experiment, folder, terminal)).status === 'finished';
  },
};

const training: KindOfRun = {
  async begin(path, _begin, out) {
    const { settings, journal } = readTraining(path);
    const { version: _, architecture, dataChecksum, ...request } = settings;
    beginTraining(out, await parseArchitecture(architecture, journal, process.cwd()), request);
  },
  async goOn(path, terminal) {
    return (await runTraining(path, terminal)).status === 'finished';
  },
};

const supernet: KindOfRun = {
  async begin(path, _begin, out) {
    const { version: _, spaceChecksum, dataChecksum, ...request } = (await readSupernetRun(path)).settings;
    await beginSupernetRun(out, request);
  },
  async goOn(path, terminal) {
    return (await runSupernet(path, terminal)).status === 'finished';
  },
};

/** By the first event of the journal. */
export const kindsOfRun: ReadonlyMap<string, KindOfRun> = new Map([
  ['run', search],
  ['train', training],
  ['supernet', supernet],
]);
