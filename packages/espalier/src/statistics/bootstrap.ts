import { ascending, mean, quantileSorted } from 'd3-array';
import { Random } from '../random/random.js';
import { requireValues } from './summary.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** Share of the resamples whose mean lies inside; 0.95 by default. */
  readonly level?: number;
  /** 10,000 by default. */
  readonly resamples?: number;
  /** Equal seeds, equal intervals; 0 by default. */
  readonly seed?: number;
}

/**
 * The percentile bootstrap interval of a mean (Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, chapter
 * 13): the values are drawn with replacement, as many as there are, again and again; the interval leaves out an equal
 * share of the means at both ends. Quantiles between two means are interpolated (definition 7 of Hyndman & Fan 1996).
 *
 * With a handful of values it is too narrow, as every interval is that knows nothing but them.
 *
 * @throws RangeError for fewer than two values
 */
export function meanInterval(values: readonly number[], options: BootstrapOptions = {}): Interval {
  requireValues(values, 2);
  return percentileInterval((draw) => draw(values), options);
}

/**
 * The same of the difference of the means of paired samples, first - second: the pairs are drawn, not the values.
 *
 * @throws RangeError for samples of unequal size, or of fewer than two pairs
 */
export function pairedDifferenceInterval(
  first: readonly number[],
  second: readonly number[],
  options: BootstrapOptions = {},
): Interval {
  return meanInterval(pairedDifferences(first, second), options);
}

/**
 * The same of the difference of the means of two independent samples, first - second: each is drawn by itself.
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

/** @param statistic of one resample; `draw` gives the mean of a resample of its values */
function percentileInterval(
  statistic: (draw: (values: readonly number[]) => number) => number,
  { level = 0.95, resamples = 10_000, seed = 0 }: BootstrapOptions,
): Interval {
  const random = Random.of(seed, 'bootstrap');
  const draw = (values: readonly number[]) =>
    mean(values, () => values[random.below(values.length)] as number) as number;
  const drawn = Array.from({ length: resamples }, () => statistic(draw)).sort(ascending);
  const at = (share: number) => quantileSorted(drawn, share) as number;
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}
