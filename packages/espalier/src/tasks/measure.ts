/** What networks are judged by. */
export interface Measure {
  readonly name: 'accuracy' | 'perplexity';
  readonly better: 'higher' | 'lower';
}

/** The share of images whose class is the one that gets the highest logit. */
export const ACCURACY: Measure = { name: 'accuracy', better: 'higher' };
/** The exponential of the mean loss of a token, in nats. */
export const PERPLEXITY: Measure = { name: 'perplexity', better: 'lower' };

/** A value under the name of its measure: `{ accuracy: 0.93 }` or `{ perplexity: 62.4 }`. */
export type Measured =
  | { readonly accuracy: number; readonly perplexity?: never }
  | { readonly perplexity: number; readonly accuracy?: never };

export function measured({ name }: Measure, value: number): Measured {
  return name === 'accuracy' ? { accuracy: value } : { perplexity: value };
}

export function measureOf({ accuracy }: Measured): Measure {
  return accuracy === undefined ? PERPLEXITY : ACCURACY;
}

export function measuredValue({ accuracy, perplexity }: Measured): number {
  return accuracy ?? perplexity;
}

/** Whether a value is better than another. */
export function isBetter({ better }: Measure, value: number, than: number): boolean {
  return better === 'higher' ? value > than : value < than;
}

/** The best of some values; undefined of none. */
export function bestValue(
  { better }: Pick<Measure, 'better'>,
  values: readonly number[],
): number | undefined {
  if (values.length === 0) return undefined;
  return better === 'higher' ? Math.max(...values) : Math.min(...values);
}
