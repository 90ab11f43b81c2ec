import { requireCount } from './summary.js';

/** The result of a permutation test of the difference between two means. */
export interface PermutationTest {
  /** The mean of the first sample minus that of the second. */
  readonly difference: number;
  /**
   * Two-sided: the share of the rearrangements whose difference is at least as far from 0 as the observed one. The observed
   * one counts as well, so p is never 0 and never small for few values: at least 1 / 16 for five pairs.
   */
  readonly p: number;
  /** The number of rearrangements that were tried. */
  readonly rearrangements: number;
  /** Whether all rearrangements were tried. Otherwise they are a random sample, and the observed one is added to them. */
  readonly exact: boolean;
}

export interface PermutationOptions {
  /** All rearrangements are tried if there are at most this many; 2^20 by default. */
  readonly exactUpTo?: number;
  /** The number of random rearrangements otherwise; 100,000 by default. */
  readonly samples?: number;
  /** Equal seeds, equal samples; 0 by default. */
  readonly seed?: number;
}

export const EXACT_UP_TO = 2 ** 20;
export const SAMPLES = 100_000;

/**
 * A test by random rearrangements: p = (b + 1) / (m + 1) for b far ones among m (Phipson & Smyth 2010, *Permutation
 * p-values should never be zero*).
 *
 * @param isFar draws one rearrangement: whether its difference is at least as far from 0 as the observed one
 */
export function sampledTest(difference: number, samples: number, isFar: () => boolean): PermutationTest {
  requireCount('samples', samples);
  let far = 0;
  for (let sample = 0; sample < samples; sample++) if (isFar()) far++;
  return { difference, p: (far + 1) / (samples + 1), rearrangements: samples, exact: false };
}

/**
 * The least absolute value that counts as being as far from 0 as `observed`. Sums of the same terms in another order differ
 * in their last bits; such sums must still count as equal.
 *
 * @param size the sum of the absolute values of the terms
 */
export function threshold(observed: number, size: number): number {
  return Math.abs(observed) - 1e-12 * size;
}
