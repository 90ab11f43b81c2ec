/**
 * The skip connections in the architectures of a supernet: many of them are the sign by which the collapse of DARTS is known
 * (Zela et al. 2020; Chen et al. 2019).
 */
export interface SkipConnections {
  /** How many an architecture has, by the kind of cell. */
  count(architecture: never): Readonly<Record<string, number>>;
  /**
   * The kind of cell where `derive` keeps to `maxSkips`, and where a search warns of more than two. Without it, a search refuses
   * `maxSkips`.
   */
  readonly limitedIn?: string;
}

/** The names that spaces have for the operation that returns its input. */
const SKIPS: ReadonlySet<string> = new Set(['skip_connect', 'identity']);

/** How many of the operations return their input. */
export function countSkips(operations: readonly string[]): number {
  return operations.filter((operation) => SKIPS.has(operation)).length;
}

/**
 * Derives a cell with at most so many skip connections: the weight of the weakest is set to zero, and the cell derived again,
 * until no more are left (P-DARTS, Chen et al. 2019, section 3.3).
 *
 * @param weights of the operations, edge by edge
 * @param skip the place of the skip connection among the operations
 * @param derive returns the cell for such weights, and the edges on which it has a skip connection
 */
export function withFewSkips<Cell>(
  weights: readonly (readonly number[])[],
  skip: number,
  maxSkips: number,
  derive: (weights: readonly (readonly number[])[]) => {
    readonly cell: Cell;
    readonly skips: readonly number[];
  },
): Cell {
  const left = weights.map((ofOperations) => [...ofOperations]);
  for (;;) {
    const { cell, skips } = derive(left);
    if (skips.length <= maxSkips) return cell;
    const weightOf = (edge: number) => left[edge]?.[skip] as number;
    const weakest = skips.reduce((least, edge) => (weightOf(edge) < weightOf(least) ? edge : least));
    (left[weakest] as number[])[skip] = 0;
  }
}
