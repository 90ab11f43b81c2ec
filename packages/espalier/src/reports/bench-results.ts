import { ascending, deviation, mean, quantileSorted } from 'd3-array';
import type { BandStep } from '../drawing/band-chart-svg.js';
import type { BenchedSearch, BenchState } from '../experiments/bench.js';
import { goodness, type Measure } from '../measures/measure.js';
import { type Interval, pairedDifferenceInterval } from '../statistics/bootstrap.js';
import { pairedTest } from '../statistics/paired-test.js';
import type { PermutationTest } from '../statistics/permutation-test.js';

/** A strategy against random search: searches of the same number are pairs. */
interface BenchDifference {
  readonly baseline: string;
  readonly pairs: number;
  readonly interval: Interval;
  readonly test: PermutationTest;
}

/** What the searches of a strategy came to, in the values that what they found is judged by. */
export interface BenchedMethod {
  readonly strategy: string;
  /** Searches that found something within the budget. */
  readonly runs: number;
  /** Searches that had no result within the budget. */
  readonly empty: number;
  readonly mean: number;
  /** Of all searches, ascending. */
  readonly values: readonly number[];
  /** Of the sample; undefined for one search. */
  readonly deviation: number | undefined;
  readonly quartiles: readonly [number, number, number];
  /** Share of the searches that found the best architecture of the table. */
  readonly optimal: number;
  /** Mean number of trials of a search. */
  readonly trials: number;
  /** Real seconds of a search. */
  readonly secondsARun: number;
  /** Missing for random search itself, and without it. */
  readonly against?: BenchDifference;
  /** The regret by simulated time: quartiles and the mean over the searches. */
  readonly regret: readonly RegretStep[];
}

/** The difference between the optimum and what the searches would answer with, from some time on; 0 is best. */
interface RegretStep extends BandStep {
  readonly median: number;
  readonly deviation: number;
}

/** The strategy that all others are compared with. */
const BASELINE = 'random';

/** Points of time of the regret. */
const STEPS = 120;

/** @returns the strategies that have done a search at least, in the order of the request */
export function benchResults({ settings, searches, seconds }: BenchState): BenchedMethod[] {
  const [objective] = settings.objectives;
  const indices = (name: string) =>
    [...searches.keys()].filter((index) => searches[index]?.strategy === name);
  const finals = (name: string) =>
    new Map(
      indices(name).flatMap((index) => {
        const { run, improvements } = searches[index] as BenchedSearch;
        const last = improvements.at(-1);
        return last === undefined ? [] : [[run, last[2]] as const];
      }),
    );
  const baseline = settings.strategies.find(({ strategy }) => strategy === BASELINE)?.name;
  const ofBaseline = baseline === undefined ? new Map<number, number>() : finals(baseline);
  return settings.strategies.flatMap(({ name }) => {
    const own = indices(name);
    const values = finals(name);
    if (values.size === 0) return [];
    const sorted = [...values.values()].sort(ascending);
    const at = (share: number) => quantileSorted(sorted, share) as number;
    const its = own.map((index) => searches[index] as BenchedSearch);
    const against = name === baseline ? undefined : differenceOf(values, ofBaseline, baseline);
    return [
      {
        strategy: name,
        runs: values.size,
        empty: own.length - values.size,
        mean: mean(sorted) as number,
        values: sorted,
        deviation: deviation(sorted),
        quartiles: [at(0.25), at(0.5), at(0.75)] as const,
        optimal: [...values.values()].filter((value) => value === settings.optimum).length / values.size,
        trials: mean(its, ({ trials }) => trials) as number,
        secondsARun: mean(own, (index) => seconds[index] as number) as number,
        ...(against === undefined ? {} : { against }),
        regret: regretOf(its, objective, settings.optimum, settings.budget),
      },
    ];
  });
}

function differenceOf(
  values: ReadonlyMap<number, number>,
  others: ReadonlyMap<number, number>,
  baseline: string | undefined,
): BenchDifference | undefined {
  const runs = [...values.keys()].filter((run) => others.has(run));
  if (baseline === undefined || runs.length < 2) return undefined;
  const [first, second] = [values, others].map((of) => runs.map((run) => of.get(run) as number)) as [
    number[],
    number[],
  ];
  return {
    baseline,
    pairs: runs.length,
    interval: pairedDifferenceInterval(first, second),
    test: pairedTest(first, second),
  };
}

/** It begins where all searches have found something. */
function regretOf(
  searches: readonly BenchedSearch[],
  objective: Measure,
  optimum: number,
  budget: number,
): RegretStep[] {
  const found = searches.map(({ improvements }) => improvements).filter(({ length }) => length > 0);
  const begin = Math.max(...found.map(([first]) => (first as [number, number, number])[0]));
  const steps: RegretStep[] = [];
  const places = found.map(() => 0);
  for (let step = 0; step <= STEPS; step++) {
    const x = begin + ((budget - begin) * step) / STEPS;
    const regrets = found.map((improvements, search) => {
      let place = places[search] as number;
      while (place + 1 < improvements.length && (improvements[place + 1] as [number, number, number])[0] <= x)
        place++;
      places[search] = place;
      const judged = (improvements[place] as [number, number, number])[2];
      return goodness(objective, optimum) - goodness(objective, judged);
    });
    regrets.sort(ascending);
    const at = (share: number) => quantileSorted(regrets, share) as number;
    steps.push({
      x,
      low: at(0.25),
      middle: mean(regrets) as number,
      high: at(0.75),
      median: at(0.5),
      deviation: deviation(regrets) ?? 0,
    });
  }
  return steps;
}
