/** The score of a configuration after the epochs of a rung. Higher is better; null if its training failed. */
interface RungResult {
  readonly configuration: number;
  readonly score: number | null;
}

/** Configurations that were trained for the same number of epochs. */
export interface Rung {
  /** In the order of their arrival. */
  readonly results: readonly RungResult[];
  /** In the order in which they were promoted to the next rung. */
  readonly promoted: readonly number[];
}

/** The number of configurations that begin, and eta, of which the share 1/eta of a rung is promoted. */
export interface Halving {
  readonly size: number;
  readonly eta: number;
}

/** Selects the configuration of a rung that is promoted next; undefined if none can be promoted yet. */
export type PromotionRule = (rungs: readonly Rung[], rung: number, halving: Halving) => number | undefined;

/** Best first, failed ones last. Of equal ones the earlier configuration comes first, whatever the order of arrival. */
function ranked({ results }: Rung): RungResult[] {
  const value = ({ score }: RungResult) => score ?? Number.NEGATIVE_INFINITY;
  return results.toSorted((a, b) =>
    value(a) === value(b) ? a.configuration - b.configuration : value(a) > value(b) ? -1 : 1,
  );
}

/** The best of the first `most` of a ranking, among those that succeeded and were not promoted before. */
function best(rung: Rung, most: number): number | undefined {
  return ranked(rung)
    .slice(0, most)
    .find(({ score, configuration }) => score !== null && !rung.promoted.includes(configuration))
    ?.configuration;
}

function rungAt(rungs: readonly Rung[], rung: number): Rung {
  return rungs[rung] as Rung;
}

/**
 * The rule of ASHA (Li et al. 2018, algorithm 2). Among n results so far, a configuration that is one of the best n/eta
 * and was not promoted before is promoted at once, without waiting for the rung to be full.
 *
 * If good results arrive late, the algorithm as printed promotes more than n/eta in the end, because some
 * configurations were promoted early that are not among the best any more.
 *
 * @param mispromotions whether to allow this. Otherwise no more than n/eta of n results are promoted
 */
export function asynchronous(mispromotions: boolean): PromotionRule {
  return (rungs, index, { eta }) => {
    const rung = rungAt(rungs, index);
    const most = Math.floor(rung.results.length / eta);
    if (!mispromotions && rung.promoted.length >= most) return undefined;
    return best(rung, most);
  };
}

/**
 * The rule of successive halving (Jamieson & Talwalkar 2016; algorithm 1 of Li et al. 2018). Once all n configurations
 * of a rung have a result, the best n/eta are promoted. If fewer have succeeded, all of these are promoted.
 */
export const synchronous: PromotionRule = (rungs, index, { size, eta }) => {
  for (let below = 0; below <= index; below++) {
    const expected = below === 0 ? size : survivors(rungAt(rungs, below - 1), size, eta, below);
    if (rungAt(rungs, below).results.length < expected) return undefined;
  }
  return best(rungAt(rungs, index), Math.floor(size / eta ** (index + 1)));
};

/** The number of configurations that a full rung promotes. */
function survivors({ results }: Rung, size: number, eta: number, next: number): number {
  const trained = results.filter(({ score }) => score !== null).length;
  return Math.min(Math.floor(size / eta ** next), trained);
}
