import { Random } from '../random/random.js';
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
 * Tests whether two methods differ whose runs cannot be paired. If they were equal, any value could belong to either
 * method. The rearrangements are the ways to choose which values belong to the first one.
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
  /** The difference of the means if the values of the first method have this sum. */
  const differenceAt = (sum: number) => sum / n - (total - sum) / m;
  const difference = differenceAt(first.reduce((sum, value) => sum + value, 0));
  const size = all.reduce((sum, value) => sum + Math.abs(value), 0) / Math.min(n, m);
  const least = threshold(difference, size);
  const isFar = (sum: number) => Math.abs(differenceAt(sum)) >= least;

  const ways = choose(n + m, n);
  if (ways <= exactUpTo) {
    /** The number of far ways to take `left` more of the values from `index` on. */
    const far = (index: number, left: number, sum: number): number => {
      if (left === 0) return isFar(sum) ? 1 : 0;
      if (all.length - index < left) return 0;
      return far(index + 1, left - 1, sum + (all[index] as number)) + far(index + 1, left, sum);
    };
    return { difference, p: far(0, n, 0) / ways, rearrangements: ways, exact: true };
  }
  const random = Random.of(seed, 'unpaired test');
  return sampledTest(difference, samples, () => {
    const order = random.permutation(n + m);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += all[order[i] as number] as number;
    return isFar(sum);
  });
}

/** n over k; exact below 2^53. */
function choose(n: number, k: number): number {
  const fewer = Math.min(k, n - k);
  let ways = 1;
  for (let i = 1; i <= fewer; i++) ways = (ways * (n - fewer + i)) / i;
  return Math.round(ways);
}
