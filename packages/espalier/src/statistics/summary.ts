import { deviation, max, mean, min } from 'd3-array';

/** Which values of a measure are the good ones: accuracies are higher, perplexities lower. */
export type Direction = 'higher' | 'lower';

/** What a sample of final values comes to. */
export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** Of the sample: the squares are divided by n - 1. Undefined for a single value. */
  readonly deviation: number | undefined;
  readonly best: number;
  readonly worst: number;
}

/** @throws RangeError where there are no values */
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

/** @throws RangeError where there are fewer than `least`, or one is not finite */
export function requireValues(values: readonly number[], least = 1): void {
  if (values.length < least)
    throw new RangeError(`${values.length} values where at least ${least} are needed`);
  const odd = values.find((value) => !Number.isFinite(value));
  if (odd !== undefined) throw new RangeError(`a value is ${odd}, not a finite number`);
}
