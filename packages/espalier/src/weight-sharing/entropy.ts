/**
 * The mean entropy of choices in nats: 0 when all are decided, the logarithm of the number of options when all are even.
 *
 * @param weights a row for each choice, not negative; a row is normalised here, and one of zeros is no choice
 * @returns undefined where there is no choice between two options or more
 */
export function meanEntropy(weights: readonly (readonly number[])[]): number | undefined {
  const entropies = weights.flatMap((row) => {
    const sum = row.reduce((all, weight) => all + weight, 0);
    const shares = row.filter((weight) => weight > 0).map((weight) => weight / sum);
    return shares.length < 2 ? [] : [-shares.reduce((all, share) => all + share * Math.log(share), 0)];
  });
  if (entropies.length === 0) return undefined;
  return entropies.reduce((all, entropy) => all + entropy, 0) / entropies.length;
}
