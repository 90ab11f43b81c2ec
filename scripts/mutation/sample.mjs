import { createHash } from 'node:crypto';

/**
 * A random sample without replacement that hardly changes when the population does: what is drawn of a population is drawn
 * of every part of it too, and a larger sample contains a smaller one.
 *
 * @template T
 * @param {readonly T[]} population
 * @param {number} size
 * @param {number} seed
 * @param {(item: T) => string} nameOf another name for each
 * @returns {T[]}
 */
export function sampleOf(population, size, seed, nameOf) {
  const ranked = population.map((item) => ({ item, rank: digestOf(`${seed} ${nameOf(item)}`) }));
  ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return ranked.slice(0, size).map(({ item }) => item);
}

/** @param {string} text */
export function digestOf(text) {
  return createHash('sha256').update(text).digest('hex');
}

/** The normal quantile of 97.5%. */
const Z = 1.959964;

/**
 * The interval of 95% of a share that was counted in a sample (Wilson 1927).
 *
 * @param {number} count at most `size`
 * @param {number} size at least 1
 * @returns {readonly [low: number, high: number]}
 */
export function wilsonInterval(count, size) {
  const share = count / size;
  const scale = 1 + Z ** 2 / size;
  const middle = (share + Z ** 2 / (2 * size)) / scale;
  const half = (Z * Math.sqrt((share * (1 - share)) / size + Z ** 2 / (4 * size ** 2))) / scale;
  return [middle - half, middle + half];
}
