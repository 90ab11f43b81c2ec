import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { bestValue } from '../measures/measure.js';
import { measures } from '../measures/measure-names.js';
import type { TrialState } from '../runs/run-state.js';
import { Space } from '../space/space.js';
import { kendallTau } from '../statistics/kendall-tau.js';
import { SEARCHED } from '../tables/search-form.js';
import { type ReadRun, readRun } from './found-architecture.js';
import { learningCurve } from './learning-curve.js';

/** A table of what searches have measured. */
export interface SearchTable {
  /** Each a line of the file. */
  readonly rows: readonly Readonly<Record<string, Json>>[];
  /** Name or file of the space. */
  readonly space: string;
  /** The options that it was searched with, as far as they are not its defaults. */
  readonly spaceOptions: Readonly<Record<string, Json>>;
  readonly measure: string;
  /** The best value that an architecture is judged by. */
  readonly best: number;
  /** Kendall's tau between what a search sees and what is judged; undefined where nothing else judges. */
  readonly agreement: number | undefined;
  /** Architectures of the first search that another one has not measured. */
  readonly leftOut: number;
}

/** A child that was measured. */
interface Child {
  readonly trial: TrialState;
  readonly value: number;
}

/** Figures that are kept of a value. */
const DIGITS = 6;

/** What a trial takes at least, in seconds: journals have thousandths. */
const LEAST_SECONDS = 0.001;

/** The unit of costs that the clock measures, whatever the estimator. */
export const SECONDS = 'seconds';

/**
 * Makes a table of searches in one space. A search in the table sees what the first search saw of an architecture, after
 * each epoch where that is known, and pays what it cost. The architecture is judged by the mean of the other
 * searches, so that luck in the first one does not count; they may have trained longer. With one search there is no other
 * value than its own.
 *
 * @param unit that trials are paid in: seconds, or the unit of the first search's estimator, which is the same on any machine
 * @throws InputError for searches that do not belong together, for trials that go on with others or have a depth of their
 *   own, and where nothing was measured
 */
export async function searchTable(paths: readonly string[], unit: string = SECONDS): Promise<SearchTable> {
  const twice = paths.find((path, place) => paths.indexOf(path) !== place);
  if (twice !== undefined) throw new InputError(`${twice}: is there twice`);
  const runs = await Promise.all(paths.map(readRun));
  const [first, ...others] = runs as [ReadRun, ...ReadRun[]];
  for (const [place, other] of others.entries()) requireAlike(first, other, paths[place + 1] as string);
  const { state, space, settings } = first;
  const { objective } = state;
  if (!measures.has(objective.name))
    throw new InputError(
      `${paths[0]}: its deciding measure is '${objective.name}'; a table can have ${[...measures.keys()].join(', ')}`,
    );
  const { costUnit } = settings.estimation;
  if (unit !== SECONDS && unit !== costUnit)
    throw new InputError(
      `--cost '${unit}': allowed: ${SECONDS}${costUnit === undefined ? '' : `, ${costUnit}`}`,
    );
  const seen = childrenOf(first, paths[0] as string);
  const judges = others.map((other, place) => childrenOf(other, paths[place + 1] as string));
  const rows: Record<string, Json>[] = [];
  const values: { seen: number; judged: number }[] = [];
  for (const [key, child] of seen) {
    const judging = judges.map((judge) => judge.get(key)?.value);
    const judged = meanOf(judging);
    if (judging.includes(undefined)) continue;
    values.push({ seen: child.value, judged: judged ?? child.value });
    rows.push({
      [SEARCHED.architecture]: space.decode(child.trial.answers) as Json,
      ...seenOf(child, objective.name),
      ...(judged === undefined ? {} : { [SEARCHED.judged(objective.name)]: rounded(judged) }),
      [SEARCHED.cost]: unit === SECONDS ? secondsOf(child) : (child.trial.outcome?.cost as number),
    });
  }
  if (rows.length === 0)
    throw new InputError(
      `${paths.join(', ')}: no architecture was measured in ${paths.length === 1 ? 'it' : 'all of them'}`,
    );
  return {
    rows,
    space: settings.space,
    spaceOptions: changedOptions(space),
    measure: objective.name,
    best: bestValue(
      objective,
      values.map(({ judged }) => judged),
    ) as number,
    agreement:
      others.length === 0
        ? undefined
        : kendallTau(
            values.map((one) => one.seen),
            values.map((one) => one.judged),
          ),
    leftOut: seen.size - rows.length,
  };
}

function requireAlike(first: ReadRun, other: ReadRun, path: string): void {
  const fault = differenceOf(first, other);
  if (fault !== undefined)
    throw new InputError(`${path}: cannot be in one table with ${first.folder.path}: ${fault}`);
}

function differenceOf(first: ReadRun, other: ReadRun): string | undefined {
  const [one, two] = [first.settings, other.settings];
  if (first.space.name !== other.space.name || one.spaceChecksum !== two.spaceChecksum)
    return `its space is ${two.space}, not ${one.space}${two.space === one.space ? ' as it was then' : ''}`;
  const options = Object.entries(first.space.options);
  const option = options.find(([name, value]) => !isDeepStrictEqual(other.space.options[name], value));
  if (option !== undefined) {
    const [name, value] = option;
    return `its option space.${name} is ${JSON.stringify(other.space.options[name])}, not ${JSON.stringify(value)}`;
  }
  const [its, wanted] = [other.state.objective.name, first.state.objective.name];
  return its === wanted ? undefined : `its measure is ${its}, not ${wanted}`;
}

/** The options that are not at their defaults. */
function changedOptions({ definition, options }: Space): Record<string, Json> {
  const defaults = Space.configure(definition, {}).options;
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => !isDeepStrictEqual(value, defaults[name])),
  );
}

/** The children of a search that were measured, by their decision sequences; of equal ones the first. */
function childrenOf({ state, space }: ReadRun, path: string): Map<string, Child> {
  const children = new Map<string, Child>();
  for (const trial of state.trials) {
    if (trial.epochs !== undefined)
      throw new InputError(
        `${path}: its strategy trains children for different times; a table is made of searches that train all alike`,
      );
    if (trial.depth !== undefined)
      throw new InputError(
        `${path}: its networks become deeper; a table is made of searches in one space (--set growEvery=0)`,
      );
    const { outcome } = trial;
    const key = space.key(trial.answers);
    if (outcome?.status !== 'ok' || children.has(key)) continue;
    children.set(key, { trial, value: outcome.measures[state.objective.name] as number });
  }
  return children;
}

/** What a search sees of a child: a column for each epoch, or a single one. */
function seenOf({ trial, value }: Child, measure: string): Record<string, Json> {
  const curve = learningCurve(trial.outcome, measure);
  const last = curve.at(-1)?.epoch;
  const columns = curve.slice(0, -1).map((one) => [SEARCHED.seen(measure, one.epoch), rounded(one.value)]);
  return Object.fromEntries([...columns, [SEARCHED.seen(measure, last), rounded(value)]]);
}

function secondsOf({ trial }: Child): number {
  const { seconds } = (trial.outcome?.clock ?? {}) as { readonly seconds?: number };
  return Math.max(seconds ?? 0, LEAST_SECONDS);
}

/** Undefined where one is missing, or there are none. */
function meanOf(values: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    sum += value;
  }
  return values.length === 0 ? undefined : sum / values.length;
}

const rounded = (value: number) => Number(value.toPrecision(DIGITS));
