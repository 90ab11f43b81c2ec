/** A configuration on a rung: its score after the rung's epochs, the higher the better; null where its training failed. */
interface RungResult {
  readonly configuration: number;
  readonly score: number | null;
}

/** Configurations that were trained for the same number of epochs. */
export interface Rung {
  /** In the order in which they came. */
  readonly results: readonly RungResult[];
  /** In the order in which they were promoted to the next rung. */
  readonly promoted: readonly number[];
}

/** How many configurations begin, and the share of a rung that is promoted, 1/eta. */
export interface Halving {
  readonly size: number;
  readonly eta: number;
}

/** Which configuration of a rung, not the last one, is promoted next; undefined where none is yet. */
export type PromotionRule = (rungs: readonly Rung[], rung: number, halving: Halving) => number | undefined;

/** Best first; of equal ones the earlier configuration, so that the order of arrival has no part in it. Failed ones last. */
function ranked({ results }: Rung): RungResult[] {
  const value = ({ score }: RungResult) => score ?? Number.NEGATIVE_INFINITY;
  return results.toSorted((a, b) =>
    value(a) === value(b) ? a.configuration - b.configuration : value(a) > value(b) ? -1 : 1,
  );
}

/** The best of the first `most` of a ranking that was not promoted. */
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
 * The rule of ASHA (Li et al. 2018, algorithm 2): with n results so far, whatever is among the best n/eta and was not
 * promoted is promoted at once; nobody waits for the rung to be full.
 *
 * Where good ones come late, the algorithm as it is printed promotes more than n/eta in the end: early ones went on
 * that are not among the best any more.
 *
 * @param mispromotions whether it may; otherwise a rung with n results never has more than n/eta promoted
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
 * The rule of successive halving (Jamieson & Talwalkar 2016; as algorithm 1 of Li et al. 2018 has it): the best n/eta of
 * a rung are promoted when all n are through. Where so many failed that there are fewer, those go on.
 */
export const synchronous: PromotionRule = (rungs, index, { size, eta }) => {
  for (let below = 0; below <= index; below++) {
    const expected = below === 0 ? size : survivors(rungAt(rungs, below - 1), size, eta, below);
    if (rungAt(rungs, below).results.length < expected) return undefined;
  }
  return best(rungAt(rungs, index), Math.floor(size / eta ** (index + 1)));
};

/** How many a full rung promotes. */
function survivors({ results }: Rung, size: number, eta: number, next: number): number {
  const trained = results.filter(({ score }) => score !== null).length;
  return Math.min(Math.floor(size / eta ** next), trained);
}
