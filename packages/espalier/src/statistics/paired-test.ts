import { Random } from '../random/random.js';
import { pairedDifferences } from './bootstrap.js';
import {
  EXACT_UP_TO,
  type PermutationOptions,
  type PermutationTest,
  SAMPLES,
  sampledTest,
  threshold,
} from './permutation-test.js';
import { requireValues } from './summary.js';

/**
 * Tests whether two methods differ that ran with the same seeds (Fisher's sign-flip test). If they were equal, the two
 * values of a seed could be swapped, which flips the sign of their difference.
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
  const size = differences.reduce((total, difference) => total + Math.abs(difference), 0);
  const least = threshold(sum, size);
  const difference = sum / n;
  if (2 ** n <= exactUpTo) {
    /** The number of far sums among those with the signs of the first `pair` differences given. */
    const far = (pair: number, total: number): number => {
      if (pair === n) return Math.abs(total) >= least ? 1 : 0;
      const one = differences[pair] as number;
      return far(pair + 1, total + one) + far(pair + 1, total - one);
    };
    return { difference, p: far(0, 0) / 2 ** n, rearrangements: 2 ** n, exact: true };
  }
  const random = Random.of(seed, 'paired test');
  return sampledTest(difference, samples, () => {
    let total = 0;
    for (const one of differences) total += random.below(2) === 0 ? one : -one;
    return Math.abs(total) >= least;
  });
}
