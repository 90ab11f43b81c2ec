/** What a permutation test says of the difference of two means. */
export interface PermutationTest {
  /** Mean of the first sample - mean of the second. */
  readonly difference: number;
  /**
   * Two-sided: the share of the rearrangements whose difference is at least as far from 0 as the one that was found,
   * among them the one that was found. So it is never 0, and with few values never small: 1 / 16 at best for five pairs.
   */
  readonly p: number;
  /** How many rearrangements were looked at. */
  readonly rearrangements: number;
  /** All that there are; otherwise drawn, and the one that was found counted besides (Phipson & Smyth 2010). */
  readonly exact: boolean;
}

export interface PermutationOptions {
  /** Up to so many rearrangements all are looked at; 2^20 by default. */
  readonly exactUpTo?: number;
  /** How many are drawn otherwise; 100,000 by default. */
  readonly samples?: number;
  /** Equal seeds, equal draws; 0 by default. */
  readonly seed?: number;
}

export const EXACT_UP_TO = 2 ** 20;
export const SAMPLES = 100_000;

/**
 * The least that counts as being as far from 0 as `found`. Sums of the same terms in another order differ in their
 * last bits; equal ones must not be missed for it.
 *
 * @param size the sum of the absolute values of the terms
 */
export function threshold(found: number, size: number): number {
  return Math.abs(found) - 1e-12 * size;
}
