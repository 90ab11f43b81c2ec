import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEvaluation } from '../experiments/evaluation.js';
import { continueEvaluation, type EvaluationStep } from '../experiments/evaluation-run.js';
import { evaluationPage, evaluationText } from '../reports/evaluation-report.js';
import { type EvaluationResults, evaluationResults } from '../reports/evaluation-results.js';
import { duration } from '../reports/figures.js';
import { kindOfRun } from '../runs/begun-run.js';
import type { JournalEvent } from '../runs/journal-event.js';
import type { Terminal } from './terminal.js';

/** What an evaluation came to. */
export interface EvaluationSummary {
  readonly run: string;
  readonly status: 'finished' | 'interrupted' | 'unfinished';
  readonly results: EvaluationResults;
  /** The page with the plots. */
  readonly report: string;
}

/** Goes on with a run of a kind, told by the first event of its journal, to its end; false where it was stopped. */
type GoOn = (path: string, kind: string) => Promise<boolean>;

/** Evaluates from where the folder's journal ends, shows it, and writes its report. */
export async function evaluateToEnd(
  path: string,
  terminal: Terminal,
  goOn: GoOn,
): Promise<EvaluationSummary> {
  const progress = new EvaluationProgress(terminal);
  const finished = await continueEvaluation(path, {
    step: (step) => progress.begin(step),
    ended: (event) => progress.end(event),
    message: (text) => terminal.line(text),
    goOn: (run) => goOn(run, kindOfRun(run)),
  });
  const summary = writeEvaluationReport(path);
  return finished ? summary : { ...summary, status: 'interrupted' };
}

/** Which stage and run it is, and how much time the trainings have left at the speed of those that are done. */
class EvaluationProgress {
  #step: EvaluationStep | undefined;
  #begun = 0;
  #epochs = 0;
  #seconds = 0;

  constructor(private readonly terminal: Terminal) {}

  begin(step: EvaluationStep): void {
    this.#step = step;
    this.#begun = performance.now();
    const { stage, run, number, of, epochs, epochsAfter } = step;
    const left =
      this.#epochs === 0 || stage === 1
        ? ''
        : `, about ${duration((this.#seconds / this.#epochs) * (epochs + epochsAfter))} left in all`;
    this.terminal.line(`stage ${stage} of 3, run ${number} of ${of}: ${run}${left}`);
  }

  end({ run, reason }: JournalEvent): void {
    this.terminal.settle();
    if (typeof reason === 'string') this.terminal.line(`${run} failed: ${reason}`);
    const step = this.#step;
    this.#step = undefined;
    // A search says nothing of the speed of trainings; one that failed was not at its end.
    if (step === undefined || step.epochs === 0 || reason !== undefined) return;
    this.#epochs += step.epochs;
    this.#seconds += (performance.now() - this.#begun) / 1000;
  }
}

/** Writes what an evaluation has come to into its folder: report.html. */
export function writeEvaluationReport(path: string): EvaluationSummary {
  const state = readEvaluation(path);
  const results = evaluationResults(state);
  const report = join(path, 'report.html');
  writeFileSync(report, evaluationPage(state.settings, results));
  return { run: path, status: state.finished ? 'finished' : 'unfinished', results, report };
}

/** The summary for people. */
export function describeEvaluation({ run, status, results, report }: EvaluationSummary): string {
  const tail =
    status === 'finished' ? `report ${report}` : `report ${report}\ngo on with: espalier resume ${run}`;
  return `${run}: ${status}\n\n${evaluationText(results)}\n\n${tail}`;
}

/** The summary for `--json`: null is what there is not. */
export function plainEvaluation({ run, status, results, report }: EvaluationSummary) {
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
