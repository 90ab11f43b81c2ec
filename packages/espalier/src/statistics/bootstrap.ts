import { ascending, mean, quantileSorted } from 'd3-array';
import { Random } from '../random/random.js';
import { requireCount, requireValues } from './summary.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** The share of the resampled means inside the interval, between 0 and 1; 0.95 by default. */
  readonly level?: number;
  /** 10,000 by default. */
  readonly resamples?: number;
  /** Equal seeds, equal intervals; 0 by default. */
  readonly seed?: number;
}

/**
 * The percentile bootstrap interval of a mean (Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, chapter 13).
 * A resample draws as many values as there are, with replacement. The interval excludes an equal share of the resampled
 * means at each end. Quantiles between two means are interpolated (definition 7 of Hyndman & Fan 1996).
 *
 * With few values the interval is too narrow: it knows nothing of the values that were not drawn.
 *
 * @throws RangeError for fewer than two values
 */
export function meanInterval(values: readonly number[], options: BootstrapOptions = {}): Interval {
  requireValues(values, 2);
  return percentileInterval((draw) => draw(values), options);
}

/**
 * The bootstrap interval of the mean difference of paired samples, first - second. A resample draws pairs.
 *
 * @throws RangeError for samples of unequal size, and for fewer than two pairs
 */
export function pairedDifferenceInterval(
  first: readonly number[],
  second: readonly number[],
  options: BootstrapOptions = {},
): Interval {
  return meanInterval(pairedDifferences(first, second), options);
}

/**
 * The bootstrap interval of the difference between the means of two independent samples, first - second. A resample draws
 * from each sample separately.
 *
 * @throws RangeError for a sample of fewer than two values
 */
export function differenceInterval(
  first: readonly number[],
  second: readonly number[],
  options: BootstrapOptions = {},
): Interval {
  requireValues(first, 2);
  requireValues(second, 2);
  return percentileInterval((draw) => draw(first) - draw(second), options);
}

/** first - second, pair by pair. @throws RangeError for samples of unequal size */
export function pairedDifferences(first: readonly number[], second: readonly number[]): number[] {
  if (first.length !== second.length)
    throw new RangeError(`${first.length} and ${second.length} values do not make pairs`);
  return first.map((value, pair) => value - (second[pair] as number));
}

/** @param statistic of one resample; `draw` returns the mean of a resample of its argument */
function percentileInterval(
  statistic: (draw: (values: readonly number[]) => number) => number,
  { level = 0.95, resamples = 10_000, seed = 0 }: BootstrapOptions,
): Interval {
  if (!(level > 0 && level < 1))
    throw new RangeError(`the level of an interval is ${level}; allowed: between 0 and 1`);
  requireCount('resamples', resamples);
  const random = Random.of(seed, 'bootstrap');
  const draw = (values: readonly number[]) =>
    mean(values, () => values[random.below(values.length)] as number) as number;
  const drawn = Array.from({ length: resamples }, () => statistic(draw)).sort(ascending);
  const at = (share: number) => quantileSorted(drawn, share) as number;
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}
