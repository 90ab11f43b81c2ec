import { readEvaluation } from '../experiments/evaluation.js';
import { beginEvaluation } from '../experiments/evaluation-run.js';
import { headerOf, prepareResume } from '../experiments/experiment.js';
import { parseArchitecture, readRun } from '../experiments/found-architecture.js';
import { beginSearchAgain } from '../experiments/search-again.js';
import { beginTraining, readTraining } from '../experiments/training-run.js';
import { InputError } from '../input-error.js';
import { type EvaluationSummary, evaluateToEnd } from './run-evaluation.js';
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
   * @throws InputError for what has gone meanwhile: a space, the data
   */
  begin(path: string, out: string): Promise<void>;
  /** Goes on with a begun run to its end; false where it was stopped. */
  goOn(path: string, terminal: Terminal): Promise<boolean>;
}

const search: KindOfRun = {
  begin: beginSearchAgain,
  async goOn(path, terminal) {
    const { settings, from, folder } = await readRun(path);
    const experiment = await prepareResume(headerOf(settings), from);
    return (await runToEnd(experiment, folder, terminal)).status === 'finished';
  },
};

const training: KindOfRun = {
  async begin(path, out) {
    const { settings, journal } = readTraining(path);
    const { version: _, architecture, dataChecksum, ...request } = settings;
    beginTraining(out, await parseArchitecture(architecture, journal, process.cwd()), request);
  },
  async goOn(path, terminal) {
    return (await runTraining(path, terminal)).status === 'finished';
  },
};

const supernet: KindOfRun = {
  begin: beginSearchAgain,
  async goOn(path, terminal) {
    return (await runSupernet(path, terminal)).status === 'finished';
  },
};

const evaluation: KindOfRun = {
  async begin(path, out) {
    const { version: _, dataChecksum, ...request } = readEvaluation(path).settings;
    await beginEvaluation(out, request);
  },
  async goOn(path, terminal) {
    return (await runEvaluation(path, terminal)).status === 'finished';
  },
};

/** By the first event of the journal. */
export const kindsOfRun: ReadonlyMap<string, KindOfRun> = new Map([
  ['run', search],
  ['train', training],
  ['supernet', supernet],
  ['evaluate', evaluation],
]);

/** Evaluates from where the folder's journal ends; its searches and trainings are runs of their own kinds. */
export function runEvaluation(path: string, terminal: Terminal): Promise<EvaluationSummary> {
  return evaluateToEnd(path, terminal, (run, kind) => {
    const known = kindsOfRun.get(kind);
    if (known === undefined) throw new InputError(`${run}: a run that begins with '${kind}' cannot go on`);
    return known.goOn(run, terminal);
  });
}
