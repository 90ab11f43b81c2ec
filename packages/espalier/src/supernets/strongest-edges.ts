/** The places of all operations but one. */
export function columnsWithout<Operation extends string>(
  operations: readonly Operation[],
  without: Operation,
): number[] {
  return [...operations.keys()].filter((column) => operations[column] !== without);
}

/** An edge into a node of a cell: the place of the state that it reads, and its operation. */
interface StrongestEdge<Operation extends string> {
  readonly state: number;
  readonly operation: Exclude<Operation, 'none'>;
}

/**
 * The edges into a node that its mixtures favour: those whose strongest operation other than 'none' is strongest, each
 * with that operation (DARTS, section 2.4). Of equals the first is taken.
 *
 * @param weights for each edge, by the place of the state that it reads, the weights of the operations
 * @param count how many edges a node keeps
 * @returns stronger edges before weaker ones
 */
export function strongestEdges<Operation extends string>(
  weights: readonly (readonly number[])[],
  operations: readonly Operation[],
  count: number,
): StrongestEdge<Operation>[] {
  return weights
    .map((ofOperations, state) =>
      operations
        .flatMap((operation, k) =>
          operation === 'none'
            ? []
            : [
                {
                  state,
                  operation: operation as Exclude<Operation, 'none'>,
                  weight: ofOperations[k] as number,
                },
              ],
        )
        .reduce((best, other) => (other.weight > best.weight ? other : best)),
    )
    .sort((a, b) => b.weight - a.weight)
    .slice(0, count)
    .map(({ state, operation }) => ({ state, operation }));
}
