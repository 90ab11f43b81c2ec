import type { Budget, ResultMeasure, RunResult } from '../experiments/run-result.js';
import { InputError } from '../input-error.js';
import {
  differenceInterval,
  type Interval,
  meanInterval,
  pairedDifferenceInterval,
} from '../statistics/bootstrap.js';
import { pairedTest } from '../statistics/paired-test.js';
import type { PermutationTest } from '../statistics/permutation-test.js';
import { type Summary, summaryOf } from '../statistics/summary.js';
import { unpairedTest } from '../statistics/unpaired-test.js';

/** A result with the label of its seed: runs of two methods that have the same one make a pair. */
export interface LabelledResult extends RunResult {
  readonly label: string;
}

/** A result that has a value. */
interface MeasuredRun extends LabelledResult {
  readonly value: number;
}

/** How a method differs from random search. */
export interface BaselineDifference {
  readonly baseline: string;
  /** Mean of the method - mean of random search, over the pairs where there are some. */
  readonly difference: number;
  readonly interval: Interval | undefined;
  /** Undefined where there are too few runs. */
  readonly test: PermutationTest | undefined;
  /** How many seeds both have, where these make pairs; undefined for independent samples. */
  readonly pairs: number | undefined;
}

/** A strategy with its options, over seeds. */
export interface Method {
  readonly name: string;
  readonly strategy: string | null;
  readonly settings: Readonly<Record<string, string>>;
  readonly runs: readonly MeasuredRun[];
  readonly summary: Summary;
  /** Of the mean, 95%; undefined for a single run. */
  readonly interval: Interval | undefined;
  readonly device: RunResult['device'];
  /** Of a run, the mean. */
  readonly hours: number;
  /** Of a run. */
  readonly budget: Budget;
  /** Undefined for random search itself, and where it is not among the runs. */
  readonly against: BaselineDifference | undefined;
}

/** Methods whose values measure the same on the same data, in the same space. */
export interface Comparison {
  readonly measure: ResultMeasure;
  readonly space: string;
  readonly data: string;
  readonly methods: readonly Method[];
  /** What a reader must know before believing the table. */
  readonly notes: readonly string[];
}

/** What every method has to beat, with weights of its own for each child or shared ones. */
const BASELINES: readonly (string | null)[] = ['random', 'random-ws'];

/** The share by which budgets may differ without a word. */
const BUDGET_TOLERANCE = 0.1;

/**
 * Puts runs side by side: those with the same settings but for the seed are one method, and those that measure the same
 * on the same data in one space are compared, each with random search.
 *
 * @throws InputError for two runs of the same settings and seed: they are the same run, not two samples
 */
export function compareMethods(results: readonly LabelledResult[]): Comparison[] {
  const comparable = groupedBy(results, ({ measure, space, dataChecksum }) =>
    JSON.stringify([measure.name, space, dataChecksum]),
  );
  return comparable.map(compare);
}

function compare(results: readonly LabelledResult[]): Comparison {
  const [{ measure, space, data }] = results as [LabelledResult];
  const notes: string[] = [];
  for (const { path, finished, value } of results) {
    if (value === undefined) notes.push(`${path} has no value yet and is left out.`);
    else if (!finished) notes.push(`${path} is not at its end; its value so far is taken.`);
  }
  const groups = groupedBy(
    results.filter((result): result is MeasuredRun => result.value !== undefined),
    ({ strategy, settings }) => JSON.stringify([strategy, Object.entries(settings).sort()]),
  );
  const names = namesOf(groups);
  const methods = groups.map((runs, index) => methodOf(runs, names[index] as string));
  const baselines = methods.filter(isBaseline);
  if (baselines.length === 0 && methods.length > 0)
    notes.push('No random search is among these runs, so nothing says what the search itself is worth.');
  const compared = methods.map((method): Method => {
    const baseline = isBaseline(method) ? undefined : closest(method, baselines);
    if (baseline === undefined) return method;
    notes.push(...unfairness(method, baseline));
    return { ...method, against: differenceTo(baseline, method) };
  });
  if (baselines.length === 0)
    for (const other of methods.slice(1)) notes.push(...unfairness(other, methods[0] as Method));
  if (new Set(methods.map(({ device }) => device)).size > 1)
    notes.push('Hours of CPUs and of GPUs are not the same cost.');
  return { measure, space, data, methods: compared, notes };
}

function isBaseline({ strategy }: Method): boolean {
  return BASELINES.includes(strategy);
}

function methodOf(runs: readonly MeasuredRun[], name: string): Method {
  const [{ strategy, settings, measure, device, budget }] = runs as [MeasuredRun];
  const labels = new Map<string, string>();
  for (const { label, path } of runs) {
    const twin = labels.get(label);
    if (twin !== undefined)
      throw new InputError(
        `${twin} and ${path} have the same settings and seed (${label}): they are one run, not two samples`,
      );
    labels.set(label, path);
  }
  const values = runs.map(({ value }) => value);
  return {
    name,
    strategy,
    settings,
    runs,
    summary: summaryOf(values, measure.better),
    interval: values.length < 2 ? undefined : meanInterval(values),
    device,
    hours: runs.reduce((sum, { hours }) => sum + hours, 0) / runs.length,
    budget,
    against: undefined,
  };
}

/** Names by strategy, with the options that tell methods of the same strategy apart. */
function namesOf(groups: readonly (readonly MeasuredRun[])[]): string[] {
  return groups.map(([first]) => {
    const { strategy, settings } = first as MeasuredRun;
    const others = groups.flatMap(([other]) => (other?.strategy === strategy ? [other.settings] : []));
    const told = keysOf(others)
      .filter((key) => others.some((other) => other[key] !== others[0]?.[key]))
      .map((key) => `${key.slice(key.lastIndexOf('.') + 1)} ${settings[key] ?? 'default'}`);
    const name = strategy ?? 'a given architecture';
    return told.length === 0 ? name : `${name} (${told.join(', ')})`;
  });
}

/** The baseline with the fewest other settings; the first of several. */
function closest(method: Method, baselines: readonly Method[]): Method | undefined {
  return baselines.reduce<Method | undefined>(
    (best, one) =>
      best === undefined || otherSettings(method, one).length < otherSettings(method, best).length
        ? one
        : best,
    undefined,
  );
}

/**
 * The settings in which two methods differ, but for the strategy, its own options, and the order of results, which follows
 * from the strategy.
 */
function otherSettings(one: Method, other: Method): string[] {
  return keysOf([one.settings, other.settings]).filter(
    (key) =>
      !/(^|\.)(strategy(Options)?(\.|$)|order$)/.test(key) && one.settings[key] !== other.settings[key],
  );
}

function unfairness(method: Method, other: Method): string[] {
  const [own, its] = [method.budget, other.budget];
  const amounts = [own.amount, its.amount];
  const notes: string[] = [];
  if (own.unit !== its.unit || Math.max(...amounts) > (1 + BUDGET_TOLERANCE) * Math.min(...amounts))
    notes.push(
      `The budgets differ: a run of ${method.name} has ${own.amount} ${own.unit}, one of ${other.name} ${its.amount} ${its.unit}.`,
    );
  const settings = otherSettings(method, other);
  if (settings.length > 0) {
    const values = settings.map(
      (key) => `${key} ${method.settings[key] ?? 'default'} and ${other.settings[key] ?? 'default'}`,
    );
    notes.push(`${method.name} and ${other.name} differ in more than the strategy: ${values.join(', ')}.`);
  }
  return notes;
}

/** By seed where both have at least two; otherwise as independent samples. */
function differenceTo(baseline: Method, method: Method): BaselineDifference {
  const theirs = new Map(baseline.runs.map(({ label, value }) => [label, value]));
  const paired = method.runs.filter(({ label }) => theirs.has(label));
  if (paired.length >= 2) {
    const first = paired.map(({ value }) => value);
    const second = paired.map(({ label }) => theirs.get(label) as number);
    const test = pairedTest(first, second);
    return {
      baseline: baseline.name,
      difference: test.difference,
      interval: pairedDifferenceInterval(first, second),
      test,
      pairs: paired.length,
    };
  }
  const [first, second] = [method, baseline].map(({ runs }) => runs.map(({ value }) => value)) as [
    number[],
    number[],
  ];
  const isEnough = first.length >= 2 && second.length >= 2;
  return {
    baseline: baseline.name,
    difference: method.summary.mean - baseline.summary.mean,
    interval: isEnough ? differenceInterval(first, second) : undefined,
    test: isEnough ? unpairedTest(first, second) : undefined,
    pairs: undefined,
  };
}

function keysOf(settings: readonly Readonly<Record<string, string>>[]): string[] {
  return [...new Set(settings.flatMap((one) => Object.keys(one)))];
}

function groupedBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
