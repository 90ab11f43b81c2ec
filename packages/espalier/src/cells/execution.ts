import type { nn, Tensor } from '@espalier/torch';
import type { EdgeValue, Path } from './edge-value.js';
import type { MixedOperation } from './mixed-operation.js';

/** How the operations of a cell are computed. What they come to is the same for all, up to rounding. */
export interface Execution {
  /** Applies operations to a state that all of them read: a value for each. */
  apply(operations: readonly nn.Layer[], state: Tensor): readonly EdgeValue[];
  /** The sum of the paths into a node. */
  sum(paths: readonly Path[]): Tensor;
  /**
   * Applies mixed operations to a state that all of them read.
   *
   * @param weights [edges, operations]
   * @param starts for each edge, what its mixture is added to
   * @returns [N, C, H', W'] for each edge
   */
  mixtures(
    edges: readonly MixedOperation<string>[],
    state: Tensor,
    weights: Tensor,
    starts: readonly (Tensor | undefined)[],
  ): readonly Tensor[];
}
