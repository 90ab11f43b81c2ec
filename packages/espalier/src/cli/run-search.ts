import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Experiment, headerOf, taskIn } from '../experiments/experiment.js';
import { architectureFile, bestOf, readRun } from '../experiments/found-architecture.js';
import { openTraining } from '../experiments/opened-training.js';
import { childName, countedIn } from '../reports/child-name.js';
import { count, valueText } from '../reports/figures.js';
import { reportSearch } from '../reports/search-report.js';
import type { RunFolder } from '../runs/run-folder.js';
import { runSearch } from '../runs/search.js';
import type { InputShape, TokenInput } from '../space/space.js';
import { type Measured, measured, measuredValue, measureOf } from '../tasks/measure.js';
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
  readonly best:
    | ({
        readonly trial: number;
        /** `child 7` */
        readonly name: string;
        readonly params: number;
        readonly macs: number;
        readonly architecture: unknown;
        /** File of its picture; null where networks of the space are not drawn. */
        readonly picture: string | null;
      } & Measured)
    | null;
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
    return { ...(await writeRunReport(folder.path, experiment.input)), status: end.status };
  } finally {
    interrupt.done();
    await experiment.pool.close();
  }
}

/**
 * Writes what a run has come to into its folder: report.html, curve.svg, and of the best network best.json and
 * best.svg.
 *
 * @param input what the networks read; seen from the data where it is not known
 */
export async function writeRunReport(path: string, input?: InputShape | TokenInput): Promise<RunSummary> {
  const run = await readRun(path);
  const { state, space, settings, from } = run;
  const report = reportSearch(
    run,
    input ?? openTraining(space, taskIn(from, settings.task), settings.training).input,
  );
  const file = join(path, 'report.html');
  writeFileSync(file, report.html);
  writeFileSync(join(path, 'curve.svg'), report.curve);
  const trial = state.best === null ? undefined : state.trials[state.best.trial];
  let best: RunSummary['best'] = null;
  if (trial?.outcome?.status === 'ok') {
    const architecture = architectureFile(bestOf(run, path));
    writeFileSync(join(path, 'best.json'), `${JSON.stringify(architecture, null, 2)}\n`);
    const picture = report.network === undefined ? null : join(path, 'best.svg');
    if (picture !== null) writeFileSync(picture, report.network as string);
    const { params, macs } = trial.outcome;
    const name = childName(state, trial.trial);
    best = {
      trial: trial.trial,
      name,
      ...measured(measureOf(trial.outcome), measuredValue(trial.outcome)),
      params: params as number,
      macs: macs as number,
      architecture,
      picture,
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
      `best: ${best.name}, validation ${measureOf(best).name} ${valueText(measureOf(best), measuredValue(best))}, ` +
        `${count(best.params)} parameters, ${count(best.macs)} multiply-adds`,
      `  architecture ${join(summary.run, 'best.json')}` +
        (best.picture === null ? '' : `, picture ${best.picture}`),
    );
  lines.push(`  report ${summary.report}`);
  if (summary.status !== 'finished') lines.push(`go on with: espalier resume ${summary.run}`);
  return lines.join('\n');
}
