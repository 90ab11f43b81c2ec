import { join } from 'node:path';
import { architectureFile, bestOf, readRun } from '../experiments/found-architecture.js';
import type { Measures } from '../measures/measure.js';
import { childName, countedIn } from '../reports/child-name.js';
import { count, valueText } from '../reports/figures.js';
import { reportSearch } from '../reports/search-report.js';
import { replaceFile } from '../runs/atomic-file.js';
import { type CommonFailure, commonFailure } from '../runs/common-failure.js';

/** What a search came to, for `--json`. */
interface SearchSummary {
  readonly run: string;
  /** `failing`: it was stopped because all its children failed. */
  readonly status: 'finished' | 'interrupted' | 'failing' | 'unfinished';
  /** Null where the budget is not a number of trials. */
  readonly trials: number | null;
  /** Architectures; fewer than trials where a child that goes on is another trial. */
  readonly children: number;
  readonly done: number;
  readonly failed: number;
  /** Why most of those failed that did; null where none did. */
  readonly failure: CommonFailure | null;
  /** Number of children whose architecture an earlier child has too. */
  readonly repeated: number;
  /** What the results cost, in the unit of the estimator; null where it does not say. */
  readonly cost: { readonly amount: number; readonly unit: string } | null;
  /** The best trial; its measures stand among its keys too. */
  readonly best:
    | (Measures & {
        readonly trial: number;
        /** `child 7` */
        readonly name: string;
        readonly measures: Measures;
        readonly architecture: unknown;
        /** File of its picture; null where networks of the space are not drawn. */
        readonly picture: string | null;
      })
    | null;
  /** The measure that decides. */
  readonly measure: string;
  /** What the trials are called. */
  readonly counted: 'children' | 'trainings';
  /** The page with curve and picture. */
  readonly report: string;
}

/**
 * Writes what a search has come to into its folder: report.html, curve.svg, and of the best network best.json and
 * best.svg.
 */
export async function writeSummary(path: string): Promise<SearchSummary> {
  const run = await readRun(path);
  const { state, settings } = run;
  const report = await reportSearch(run);
  const file = join(path, 'report.html');
  replaceFile(file, report.html);
  replaceFile(join(path, 'curve.svg'), report.curve);
  const trial = state.best === null ? undefined : state.trials[state.best.trial];
  let best: SearchSummary['best'] = null;
  if (trial?.outcome?.status === 'ok') {
    const architecture = architectureFile(bestOf(run, path));
    replaceFile(join(path, 'best.json'), `${JSON.stringify(architecture, null, 2)}\n`);
    const picture = report.network === undefined ? null : join(path, 'best.svg');
    if (picture !== null) replaceFile(picture, report.network as string);
    const { measures } = trial.outcome;
    best = {
      ...measures,
      trial: trial.trial,
      name: childName(state, trial.trial),
      measures,
      architecture,
      picture,
    } as SearchSummary['best'];
  }
  const { costUnit } = settings.estimation;
  return {
    run: path,
    status: state.finished ? 'finished' : 'unfinished',
    trials: state.header.trials ?? null,
    children: state.children,
    done: state.done,
    failed: state.failed,
    failure: commonFailure(state.failures),
    repeated: state.repeated,
    cost: costUnit === undefined ? null : { amount: state.cost, unit: costUnit },
    measure: state.objective.name,
    counted: countedIn(state),
    best,
    report: file,
  };
}

/** The same in words. */
export function summaryText(summary: SearchSummary): string {
  const { run, status, best, failed, trials, done, counted, measure, cost } = summary;
  const of = trials === null ? '' : ` of ${trials}`;
  const lines = [
    `${run}: ${status}, ${done + failed}${of} ${counted}${failed > 0 ? `, ${failed} failed` : ''}`,
  ];
  if (best === null && summary.failure !== null) lines.push(failureText(summary.failure, failed));
  if (best !== null) {
    const { measures } = best;
    const sizes = [
      ...(measures.params === undefined ? [] : [`${count(measures.params)} parameters`]),
      ...(measures.macs === undefined ? [] : [`${count(measures.macs)} multiply-adds`]),
    ];
    lines.push(
      [`best: ${best.name}, ${measure} ${valueText(measure, measures[measure] as number)}`, ...sizes].join(
        ', ',
      ),
      `  architecture ${join(run, 'best.json')}${best.picture === null ? '' : `, picture ${best.picture}`}`,
    );
  }
  if (summary.repeated > 0) lines.push(`  ${repeatedText(summary.repeated)}`);
  if (cost !== null) lines.push(`  cost ${count(cost.amount)} ${cost.unit}`);
  lines.push(`  report ${summary.report}`);
  if (status === 'failing')
    lines.push(`no child could be measured; to go on all the same: espalier resume ${run}`);
  else if (status !== 'finished') lines.push(`to go on: espalier resume ${run}`);
  return lines.join('\n');
}

const failureText = ({ reason, count: of }: CommonFailure, failed: number) =>
  of === 1 ? `a child failed: ${reason}` : `${of} of the ${failed} failed alike: ${reason}`;

export const repeatedText = (repeated: number) =>
  repeated === 1
    ? '1 child has the architecture of an earlier one and was trained all the same'
    : `${repeated} children have the architecture of an earlier one and were trained all the same`;
