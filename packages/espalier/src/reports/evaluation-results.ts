import type { EvaluationState, RunOutcome } from '../experiments/evaluation.js';
import { folderOfRun, type Stage } from '../experiments/evaluation-run.js';
import type { ResultMeasure, RunResult } from '../experiments/run-result.js';
import type { RunsOfAllKinds } from '../experiments/runs-of-all-kinds.js';
import { type Interval, meanInterval, pairedDifferenceInterval } from '../statistics/bootstrap.js';
import { kendallTau } from '../statistics/kendall-tau.js';
import { pairedTest } from '../statistics/paired-test.js';
import type { PermutationTest } from '../statistics/permutation-test.js';
import { type Summary, summaryOf } from '../statistics/summary.js';

/** One run of an evaluation. */
interface EvaluatedRun {
  readonly candidate: string;
  readonly run: string;
  /** Of a training in the last stage. */
  readonly seed: number | undefined;
  /** Undefined where it failed. */
  readonly value: number | undefined;
  readonly reason: string | undefined;
  readonly hours: number;
  readonly device: RunResult['device'];
}

/** What a method has come to in a stage. */
export interface StageOfMethod {
  readonly stage: Stage;
  readonly method: string;
  readonly measure: ResultMeasure;
  readonly runs: readonly EvaluatedRun[];
  /** Of those that did not fail; undefined where all did. */
  readonly summary: Summary | undefined;
  /** Of the mean, 95%; undefined for fewer than two values. */
  readonly interval: Interval | undefined;
}

/** Two methods in the last stage, seed by seed. */
interface MethodDifference {
  readonly first: string;
  readonly second: string;
  readonly measure: ResultMeasure;
  /** Seeds that both have. */
  readonly pairs: number;
  /** Mean of the first - mean of the second, over the pairs; undefined where there are none. */
  readonly difference: number | undefined;
  /** Undefined for fewer than two pairs. */
  readonly interval: Interval | undefined;
  readonly test: PermutationTest | undefined;
}

/** Whether an earlier stage orders architectures as a later one does. */
interface StageTau {
  /** Whose candidates; null for the picks of all methods. */
  readonly method: string | null;
  readonly first: Stage;
  readonly second: Stage;
  /** How many were in both. */
  readonly architectures: number;
  /** Kendall's tau-b, better with better; undefined where there is no order. */
  readonly tau: number | undefined;
  /** Why little or nothing can be read off it. */
  readonly note: string | undefined;
}

interface StageCost {
  readonly stage: Stage;
  readonly runs: number;
  readonly cpuHours: number;
  readonly gpuHours: number;
}

/** What an evaluation has come to so far. */
export interface EvaluationResults {
  readonly finished: boolean;
  readonly stages: readonly StageOfMethod[];
  /** By method: the candidate of the last stage. */
  readonly picked: ReadonlyMap<string, string>;
  readonly differences: readonly MethodDifference[];
  readonly agreements: readonly StageTau[];
  readonly costs: readonly StageCost[];
  readonly notes: readonly string[];
}

const STAGES: Readonly<Record<RunOutcome['event'], Stage>> = { searched: 1, trained: 2, tested: 3 };

/** Fewer say next to nothing of an order. */
const FEW = 3;

/** Reads the journals of an evaluation and of its runs. @throws InputError where one is missing or broken */
export function evaluationResults(
  state: EvaluationState,
  resultOf: RunsOfAllKinds['resultOf'],
): EvaluationResults {
  const results = new Map<string, RunResult>();
  for (const { run } of state.outcomes)
    if (!results.has(run)) results.set(run, resultOf(folderOfRun(state, run)));
  const methods = state.settings.methods.map(({ name }) => name);
  const stages = ([1, 2, 3] as const).flatMap((stage) =>
    methods.flatMap((method) => {
      const outcomes = state.outcomes.filter((one) => STAGES[one.event] === stage && one.method === method);
      return outcomes.length === 0 ? [] : [stageOf(stage, method, outcomes, results)];
    }),
  );
  return {
    finished: state.finished,
    stages,
    picked: state.picked,
    differences: differencesOf(stages.filter(({ stage }) => stage === 3)),
    agreements: agreementsOf(stages, state.picked),
    costs: costsOf(state, results),
    notes: notesOf(stages, state),
  };
}

function stageOf(
  stage: Stage,
  method: string,
  outcomes: readonly RunOutcome[],
  results: ReadonlyMap<string, RunResult>,
): StageOfMethod {
  const runs = outcomes.map((one): EvaluatedRun => {
    const { hours, device } = results.get(one.run) as RunResult;
    const { candidate, run, value, reason } = one;
    return {
      candidate,
      run,
      value,
      reason,
      hours,
      device,
      seed: one.event === 'tested' ? one.seed : undefined,
    };
  });
  // The journal of a training that failed has no end to tell the measure by.
  const [{ run }] = (
    outcomes.filter(({ value }) => value !== undefined).length > 0
      ? outcomes.filter(({ value }) => value !== undefined)
      : outcomes
  ) as [RunOutcome];
  const { measure } = results.get(run) as RunResult;
  const values = valuesOf(runs);
  return {
    stage,
    method,
    measure,
    runs,
    summary: values.length === 0 ? undefined : summaryOf(values, measure.better),
    interval: values.length < 2 ? undefined : meanInterval(values),
  };
}

function valuesOf(runs: readonly EvaluatedRun[]): number[] {
  return runs.flatMap(({ value }) => (value === undefined ? [] : [value]));
}

/** Each method with each that comes after it. */
function differencesOf(tested: readonly StageOfMethod[]): MethodDifference[] {
  return tested.flatMap((first, index) =>
    tested.slice(index + 1).map((second) => differenceOf(first, second)),
  );
}

function differenceOf(first: StageOfMethod, second: StageOfMethod): MethodDifference {
  const theirs = new Map(second.runs.map(({ seed, value }) => [seed, value]));
  const pairs = first.runs.flatMap(({ seed, value }) => {
    const other = theirs.get(seed);
    return value === undefined || other === undefined ? [] : [[value, other] as const];
  });
  const [ours, others] = [pairs.map(([value]) => value), pairs.map(([, value]) => value)];
  const test = pairs.length === 0 ? undefined : pairedTest(ours, others);
  return {
    first: first.method,
    second: second.method,
    measure: first.measure,
    pairs: pairs.length,
    difference: test?.difference,
    interval: pairs.length < 2 ? undefined : pairedDifferenceInterval(ours, others),
    test: pairs.length < 2 ? undefined : test,
  };
}

/** Of the candidates of each method that has several, and of what the methods went into the last stage with. */
function agreementsOf(stages: readonly StageOfMethod[], picked: ReadonlyMap<string, string>): StageTau[] {
  const [first, second, third] = ([1, 2, 3] as const).map((number) =>
    stages.filter(({ stage }) => stage === number),
  ) as [StageOfMethod[], StageOfMethod[], StageOfMethod[]];
  const searches = first.flatMap((searched) => {
    const trained = second.find(({ method }) => method === searched.method);
    if (trained === undefined || searched.runs.length < 2) return [];
    const after = new Map(trained.runs.map(({ candidate, value }) => [candidate, value]));
    const pairs = searched.runs.map(
      ({ candidate, value }) => [goodness(searched, value), goodness(trained, after.get(candidate))] as const,
    );
    return [tauOf({ method: searched.method, first: 1, second: 2 }, pairs)];
  });
  if (third.length < 2) return searches;
  const picks = third.map((tested) => {
    const trained = second.find(({ method }) => method === tested.method) as StageOfMethod;
    const before = trained.runs.find(({ candidate }) => candidate === picked.get(tested.method));
    return [goodness(trained, before?.value), goodness(tested, tested.summary?.mean)] as const;
  });
  return [...searches, tauOf({ method: null, first: 2, second: 3 }, picks)];
}

function goodness({ measure }: StageOfMethod, value: number | undefined): number | undefined {
  return value === undefined || measure.better === 'higher' ? value : -value;
}

function tauOf(
  of: Pick<StageTau, 'method' | 'first' | 'second'>,
  pairs: readonly (readonly [number | undefined, number | undefined])[],
): StageTau {
  const whole = pairs.filter(
    (pair): pair is readonly [number, number] => pair[0] !== undefined && pair[1] !== undefined,
  );
  const tau =
    whole.length < 2
      ? undefined
      : kendallTau(
          whole.map(([one]) => one),
          whole.map(([, other]) => other),
        );
  const note =
    whole.length < FEW
      ? `fewer than ${FEW} architectures have hardly an order`
      : tau === undefined
        ? 'all are equal in one of the stages'
        : undefined;
  return { ...of, architectures: whole.length, tau, note };
}

/** A training that counts for several candidates is paid once. */
function costsOf(state: EvaluationState, results: ReadonlyMap<string, RunResult>): StageCost[] {
  return ([1, 2, 3] as const).map((stage) => {
    const its = state.outcomes.filter(({ event }) => STAGES[event] === stage).map(({ run }) => run);
    const runs = [...new Set(its)].map((run) => results.get(run) as RunResult);
    const hoursOn = (wanted: RunResult['device']) =>
      runs.reduce((sum, { device, hours }) => sum + (device === wanted ? hours : 0), 0);
    return { stage, runs: runs.length, cpuHours: hoursOn('CPU'), gpuHours: hoursOn('GPU') };
  });
}

function notesOf(
  stages: readonly StageOfMethod[],
  { settings, picked, finished }: EvaluationState,
): string[] {
  const notes = stages.flatMap(({ runs }) =>
    runs.flatMap(({ run, reason }) => (reason === undefined ? [] : [`${run} failed: ${reason}`])),
  );
  if (finished)
    for (const { name } of settings.methods)
      if (!picked.has(name))
        notes.push(`No candidate of ${name} could be trained, so nothing of it is tested.`);
  const shared = new Map<string, Set<string>>();
  // In stage 1 the candidates of one search share its run.
  for (const { method, runs } of stages.filter(({ stage }) => stage > 1))
    for (const { candidate, run, seed } of runs)
      shared.set(run, (shared.get(run) ?? new Set()).add(seed === undefined ? candidate : method));
  for (const names of new Set(
    [...shared.values()].filter((one) => one.size > 1).map((one) => [...one].join(', ')),
  ))
    notes.push(`${names}: the same architecture, trained once.`);
  if (!finished) notes.push('The evaluation is not at its end; these are the results so far.');
  return notes;
}
