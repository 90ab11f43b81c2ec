import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Experiment, headerOf, taskIn } from '../experiments/experiment.js';
import { architectureFile, bestOf, readRun } from '../experiments/found-architecture.js';
import { childName, countedIn } from '../reports/child-name.js';
import { count, percent } from '../reports/figures.js';
import { reportSearch } from '../reports/search-report.js';
import type { RunFolder } from '../runs/run-folder.js';
import { runSearch } from '../runs/search.js';
import type { InputShape } from '../space/space.js';
import { openImageTask } from '../tasks/image-task.js';
import { INTERRUPTED, interruptible } from './interruption.js';
import { SearchProgress } from './search-progress.js';
import type { Terminal } from './terminal.js';

/** What a run came to, for `--json`. */
export interface RunSummary {
  readonly run: string;
  readonly status: 'finished' | 'interrupted' | 'unfinished';
  readonly trials: number;
  /** Architectures; fewer than trials where a child that goes on is another trial. */
  readonly children: number;
  readonly done: number;
  readonly failed: number;
  readonly best: {
    readonly trial: number;
    /** `child 7` */
    readonly name: string;
    readonly accuracy: number;
    readonly params: number;
    readonly macs: number;
    readonly architecture: unknown;
  } | null;
  /** What the trials are called. */
  readonly counted: 'children' | 'trainings';
  /** The page with curve and picture. */
  readonly report: string;
}

/** Runs a search from where its journal ends, shows it, and writes its report. Closes the workers. */
export async function runToEnd(
  experiment: Experiment,
  folder: RunFolder,
  terminal: Terminal,
): Promise<RunSummary> {
  const progress = new SearchProgress(terminal);
  const interrupt = interruptible(terminal);
  try {
    const end = await runSearch({
      folder,
      header: headerOf(experiment.settings),
      strategy: experiment.strategy,
      estimator: experiment.pool,
      signal: interrupt.signal,
      report: (notice) => progress.take(notice),
    });
    terminal.settle();
    if (end.status === 'interrupted') process.exitCode = INTERRUPTED;
    return { ...(await writeRunReport(folder.path, experiment.task.shape)), status: end.status };
  } finally {
    interrupt.done();
    await experiment.pool.close();
  }
}

/**
 * Writes what a run has come to into its folder: report.html, curve.svg, and of the best network best.json and
 * best.svg.
 *
 * @param shape of the images; read from the data where it is not known
 */
export async function writeRunReport(path: string, shape?: InputShape): Promise<RunSummary> {
  const run = await readRun(path);
  const { state, settings, from } = run;
  const report = reportSearch(run, shape ?? openImageTask(taskIn(from, settings.task)).shape);
  const file = join(path, 'report.html');
  writeFileSync(file, report.html);
  writeFileSync(join(path, 'curve.svg'), report.curve);
  const trial = state.best === null ? undefined : state.trials[state.best.trial];
  let best: RunSummary['best'] = null;
  if (trial?.outcome?.status === 'ok' && report.network !== undefined) {
    const architecture = architectureFile(bestOf(run, path));
    writeFileSync(join(path, 'best.json'), `${JSON.stringify(architecture, null, 2)}\n`);
    writeFileSync(join(path, 'best.svg'), report.network);
    const { accuracy, params, macs } = trial.outcome;
    const name = childName(state, trial.trial);
    best = {
      trial: trial.trial,
      name,
      accuracy,
      params: params as number,
      macs: macs as number,
      architecture,
    };
  }
  return {
    run: path,
    status: state.finished ? 'finished' : 'unfinished',
    trials: state.header.trials,
    children: state.children,
    done: state.done,
    failed: state.failed,
    counted: countedIn(state),
    best,
    report: file,
  };
}

/** The summary for people. */
export function describeRun(summary: RunSummary): string {
  const { best, failed } = summary;
  const lines = [
    `${summary.run}: ${summary.status}, ${summary.done + failed} of ${summary.trials} ${summary.counted}` +
      (failed > 0 ? `, ${failed} failed` : ''),
  ];
  if (best !== null)
    lines.push(
      `best: ${best.name}, validation accuracy ${percent(best.accuracy)}, ` +
        `${count(best.params)} parameters, ${count(best.macs)} multiply-adds`,
      `  architecture ${join(summary.run, 'best.json')}, picture ${join(summary.run, 'best.svg')}`,
    );
  lines.push(`  report ${summary.report}`);
  if (summary.status !== 'finished') lines.push(`go on with: espalier resume ${summary.run}`);
  return lines.join('\n');
}
