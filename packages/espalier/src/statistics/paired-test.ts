import { Random } from '../random/random.js';
import { pairedDifferences } from './bootstrap.js';
import {
  EXACT_UP_TO,
  type PermutationOptions,
  type PermutationTest,
  SAMPLES,
  threshold,
} from './permutation-test.js';
import { requireValues } from './summary.js';

/**
 * Tests whether two methods differ that ran with the same seeds (Fisher's sign-flip test): were they equal, the two
 * values of a seed could as well be swapped, and the sign of each difference be the other one.
 *
 * @throws RangeError for samples of unequal size or without values
 */
export function pairedTest(
  first: readonly number[],
  second: readonly number[],
  { exactUpTo = EXACT_UP_TO, samples = SAMPLES, seed = 0 }: PermutationOptions = {},
): PermutationTest {
  const differences = pairedDifferences(first, second);
  requireValues(differences);
  const n = differences.length;
  const sum = differences.reduce((total, difference) => total + difference, 0);
  const least = threshold(
    sum,
    differences.reduce((total, difference) => total + Math.abs(difference), 0),
  );
  const difference = sum / n;
  if (2 ** n <= exactUpTo) {
    const far = (pair: number, total: number): number => {
      if (pair === n) return Math.abs(total) >= least ? 1 : 0;
      const one = differences[pair] as number;
      return far(pair + 1, total + one) + far(pair + 1, total - one);
    };
    return { difference, p: far(0, 0) / 2 ** n, rearrangements: 2 ** n, exact: true };
  }
  const random = Random.of(seed, 'paired test');
  let far = 1;
  for (let sample = 0; sample < samples; sample++) {
    let total = 0;
    for (const one of differences) total += random.below(2) === 0 ? one : -one;
    if (Math.abs(total) >= least) far++;
  }
  return { difference, p: far / (samples + 1), rearrangements: samples, exact: false };
}
