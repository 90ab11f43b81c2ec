import { requireValues } from './summary.js';

/**
 * Kendall's tau-b (Kendall 1945): how far two measures put the same things in the same order, from 1 through 0 to -1.
 * Of all pairs, those in the same order in both minus those in opposite order, divided by the geometric mean of the
 * numbers of pairs that are not tied in the one and in the other.
 *
 * @returns undefined where all values of one measure are equal, or there is only one: there is no order then
 * @throws RangeError for measures of unequal length
 */
export function kendallTau(first: readonly number[], second: readonly number[]): number | undefined {
  requireValues(first);
  requireValues(second);
  if (first.length !== second.length)
    throw new RangeError(`${first.length} and ${second.length} values are not of the same things`);
  let [balance, untiedFirst, untiedSecond] = [0, 0, 0];
  for (let j = 1; j < first.length; j++) {
    for (let i = 0; i < j; i++) {
      const one = Math.sign((first[j] as number) - (first[i] as number));
      const other = Math.sign((second[j] as number) - (second[i] as number));
      balance += one * other;
      untiedFirst += Math.abs(one);
      untiedSecond += Math.abs(other);
    }
  }
  if (untiedFirst === 0 || untiedSecond === 0) return undefined;
  return balance / Math.sqrt(untiedFirst * untiedSecond);
}
