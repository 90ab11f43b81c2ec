import { join } from 'node:path';
import { EVALUATION, readEvaluation } from '../experiments/evaluation.js';
import { beginEvaluation, continueEvaluation, type EvaluationStep } from '../experiments/evaluation-run.js';
import type { RunsOfAllKinds } from '../experiments/runs-of-all-kinds.js';
import { InputError } from '../input-error.js';
import { evaluationPage, evaluationText } from '../reports/evaluation-report.js';
import { type EvaluationResults, evaluationResults } from '../reports/evaluation-results.js';
import { refuseAmendments } from '../runs/amendments.js';
import { replaceFile } from '../runs/atomic-file.js';
import { lockHolder } from '../runs/run-lock.js';
import type { KindOfRun, Said } from './kind-of-run.js';
import { type GoOn, watchRuns } from './run-of-runs.js';

/** What an evaluation came to. */
interface EvaluationSummary {
  readonly run: string;
  readonly status: 'finished' | 'interrupted' | 'unfinished';
  readonly results: EvaluationResults;
  /** The page with the plots. */
  readonly report: string;
}

const stepText = ({ stage, run, number, of }: EvaluationStep) =>
  `stage ${stage} of 3, run ${number} of ${of}: ${run}`;

/** Writes what an evaluation has come to into its folder: report.html. */
function writeReport(path: string, { resultOf }: RunsOfAllKinds): EvaluationSummary {
  const state = readEvaluation(path);
  const results = evaluationResults(state, resultOf);
  const report = join(path, 'report.html');
  replaceFile(report, evaluationPage(state.settings, results));
  return { run: path, status: state.finished ? 'finished' : 'unfinished', results, report };
}

/** The summary for people. */
function describe({ run, status, results, report }: EvaluationSummary): string {
  const tail =
    status === 'finished' ? `report ${report}` : `report ${report}\nto go on: espalier resume ${run}`;
  return `${run}: ${status}\n\n${evaluationText(results)}\n\n${tail}`;
}

/** The summary for `--json`: null is what there is not. */
function plain({ run, status, results, report }: EvaluationSummary) {
  const { stages, picked, differences, agreements, costs, notes } = results;
  return {
    run,
    status,
    report,
    stages: stages.map(({ stage, method, measure, summary, interval, runs }) => ({
      stage,
      method,
      measure: measure.name,
      better: measure.better,
      n: summary?.n ?? 0,
      mean: summary?.mean ?? null,
      deviation: summary?.deviation ?? null,
      best: summary?.best ?? null,
      worst: summary?.worst ?? null,
      interval: interval ?? null,
      runs: runs.map((one) => ({
        ...one,
        seed: one.seed ?? null,
        value: one.value ?? null,
        reason: one.reason ?? null,
      })),
    })),
    picked: Object.fromEntries(picked),
    differences: differences.map(({ first, second, pairs, difference, interval, test }) => ({
      first,
      second,
      pairs,
      difference: difference ?? null,
      interval: interval ?? null,
      test: test ?? null,
    })),
    agreements: agreements.map(({ tau, note, ...one }) => ({ ...one, tau: tau ?? null, note: note ?? null })),
    costs: costs.map((one) => ({ ...one })),
    notes,
  };
}

async function status(path: string): Promise<Said> {
  const { settings, outcomes, picked, finished } = readEvaluation(path);
  const running = lockHolder(path);
  const is = finished ? 'finished' : running === undefined ? 'stopped' : 'running';
  const done = (event: string) => outcomes.filter((one) => one.event === event).length;
  const methods = settings.methods.map(({ name }) => name);
  const stages = { searched: done('searched'), trained: done('trained'), tested: done('tested') };
  return {
    text:
      `${path}: evaluation of ${methods.join(', ')}, ${is}: ${stages.searched} searched, ` +
      `${stages.trained} trained to pick, ${stages.tested} tested`,
    json: {
      run: path,
      status: is,
      pid: running?.pid ?? null,
      methods,
      ...stages,
      picked: Object.fromEntries(picked),
    },
  };
}

/**
 * The staged protocol of Li & Talwalkar 2019, whose stages are runs of other kinds.
 *
 * @param runs the table of all kinds
 * @param goOn goes on with a run of any kind
 */
export function evaluationKind(runs: RunsOfAllKinds, goOn: GoOn): KindOfRun {
  const said = (summary: EvaluationSummary): Said => ({ text: describe(summary), json: plain(summary) });
  return {
    event: EVALUATION,
    name: 'evaluation',
    async architecture(path) {
      throw new InputError(
        `${path}: an evaluation has no architecture of its own; name one of the runs in its folder`,
      );
    },
    status,
    show: async (path) => said(writeReport(path, runs)),
    async goOn(path, terminal, { data, amend } = {}) {
      refuseAmendments(
        amend,
        ['trials', 'epochs', 'timeoutSeconds', 'retryFailed'],
        'what an evaluation compares has the same settings; begin another one',
      );
      const watch = watchRuns(terminal, stepText, (run) => goOn(run, terminal, { data }));
      const finished = await continueEvaluation(path, watch, runs, data);
      const summary = writeReport(path, runs);
      return { finished, ...said(finished ? summary : { ...summary, status: 'interrupted' }) };
    },
    async beginAgain(path, out) {
      const { version: _, dataChecksum, ...request } = readEvaluation(path).settings;
      await beginEvaluation(out, request);
    },
  };
}
