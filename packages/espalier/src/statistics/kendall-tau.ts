import { requireValues } from './summary.js';

/**
 * Kendall's tau-b (Kendall 1945), the rank correlation of two measures of the same things: 1 for the same order, -1 for the
 * opposite one. The number of concordant pairs minus that of discordant pairs, divided by the geometric mean of the
 * numbers of pairs that are not tied in the first and in the second measure.
 *
 * @returns undefined if all values of one measure are equal, or there is only one: then there is no order
 * @throws RangeError for measures of unequal length
 */
export function kendallTau(first: readonly number[], second: readonly number[]): number | undefined {
  requireValues(first);
  requireValues(second);
  if (first.length !== second.length)
    throw new RangeError(`${first.length} and ${second.length} values do not measure the same things`);
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
