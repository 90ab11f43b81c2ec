import { deviation, max, mean, min } from 'd3-array';

/** Which values of a measure are better: `higher` for accuracies, `lower` for perplexities. */
export type Direction = 'higher' | 'lower';

/** Summary statistics of a sample of final values. */
export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** The sample standard deviation (the sum of squares is divided by n - 1). Undefined for a single value. */
  readonly deviation: number | undefined;
  readonly best: number;
  readonly worst: number;
}

/** @throws RangeError if there are no values */
export function summaryOf(values: readonly number[], direction: Direction): Summary {
  requireValues(values);
  const [low, high] = [min(values) as number, max(values) as number];
  return {
    n: values.length,
    mean: mean(values) as number,
    deviation: deviation(values),
    best: direction === 'higher' ? high : low,
    worst: direction === 'higher' ? low : high,
  };
}

/** @throws RangeError if there are fewer than `least` values, or one is not finite */
export function requireValues(values: readonly number[], least = 1): void {
  if (values.length < least)
    throw new RangeError(`there are ${values.length} values; at least ${least} are needed`);
  const odd = values.find((value) => !Number.isFinite(value));
  if (odd !== undefined) throw new RangeError(`a value is ${odd}, not a finite number`);
}

/** @throws RangeError unless `count` is a positive integer */
export function requireCount(what: string, count: number): void {
  if (!(Number.isSafeInteger(count) && count > 0))
    throw new RangeError(`the number of ${what} is ${count}; allowed: a positive integer`);
}
