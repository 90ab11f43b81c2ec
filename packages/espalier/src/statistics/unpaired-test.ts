import { Random } from '../random/random.js';
import {
  EXACT_UP_TO,
  type PermutationOptions,
  type PermutationTest,
  SAMPLES,
  threshold,
} from './permutation-test.js';
import { requireValues } from './summary.js';

/**
 * Tests whether two methods differ whose runs cannot be paired: were they equal, every value could as well be of the
 * other method. The rearrangements are the ways to give the first method its number of values.
 *
 * @throws RangeError for a sample without values
 */
export function unpairedTest(
  first: readonly number[],
  second: readonly number[],
  { exactUpTo = EXACT_UP_TO, samples = SAMPLES, seed = 0 }: PermutationOptions = {},
): PermutationTest {
  requireValues(first);
  requireValues(second);
  const all = [...first, ...second];
  const [n, m] = [first.length, second.length];
  const total = all.reduce((sum, value) => sum + value, 0);
  /** Of the means, when the values of the first have this sum. */
  const differenceAt = (sum: number) => sum / n - (total - sum) / m;
  const difference = differenceAt(first.reduce((sum, value) => sum + value, 0));
  const size = all.reduce((sum, value) => sum + Math.abs(value), 0) / Math.min(n, m);
  const least = threshold(difference, size);
  const isFar = (sum: number) => Math.abs(differenceAt(sum)) >= least;

  const ways = choose(n + m, n);
  if (ways <= exactUpTo) {
    /** Of the ways to take `left` more of the values from `index` on. */
    const far = (index: number, left: number, sum: number): number => {
      if (left === 0) return isFar(sum) ? 1 : 0;
      if (all.length - index < left) return 0;
      return far(index + 1, left - 1, sum + (all[index] as number)) + far(index + 1, left, sum);
    };
    return { difference, p: far(0, n, 0) / ways, rearrangements: ways, exact: true };
  }
  const random = Random.of(seed, 'unpaired test');
  let far = 1;
  for (let sample = 0; sample < samples; sample++) {
    const order = random.permutation(n + m);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += all[order[i] as number] as number;
    if (isFar(sum)) far++;
  }
  return { difference, p: far / (samples + 1), rearrangements: samples, exact: false };
}

/** n over k; exact while it is below 2^53. */
function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) ways = (ways * (n - Math.min(k, n - k) + i)) / i;
  return Math.round(ways);
}
