import { type Tensor, tensor } from '@espalier/torch';
import type { MixedOperation } from './mixed-operation.js';

/** The weights of the operations on the edges that leave a state. */
export interface EdgeWeights {
  /** [edges, operations]. */
  readonly values: Tensor;
  /**
   * For each edge, the places of the operations whose weights are not zero, where that is known and their gradient is not
   * wanted. The others are not computed.
   */
  readonly used?: readonly (readonly number[])[];
}

/** Edges that mix the same operations. */
export interface AlikeEdges {
  /** Their places among the edges that leave the state. */
  readonly places: readonly number[];
  readonly operations: readonly MixedOperation<string>[];
  /** [edges, operations]. */
  readonly weights: Tensor;
}

/** Groups edges that leave a state by the operations that they use. An edge that uses none has the first, with weight zero. */
export function alikeEdges(
  operations: readonly MixedOperation<string>[],
  { values, used }: EdgeWeights,
): AlikeEdges[] {
  if (used === undefined) return [{ places: [...operations.keys()], operations, weights: values }];
  const groups = new Map<string, { readonly columns: readonly number[]; readonly places: number[] }>();
  for (const place of operations.keys()) {
    const own = used[place] as readonly number[];
    const columns = own.length === 0 ? [0] : own;
    const key = columns.join();
    const group = groups.get(key) ?? { columns, places: [] };
    group.places.push(place);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ columns, places }) => ({
    places,
    operations: places.map((place) => (operations[place] as MixedOperation<string>).only(columns)),
    weights: pick(pick(values, 0, places), 1, columns),
  }));
}

/** Some rows or columns of a matrix. */
function pick(matrix: Tensor, dimension: 0 | 1, places: readonly number[]): Tensor {
  if (places.length === matrix.shape[dimension]) return matrix;
  return matrix.indexSelect(dimension, tensor([...places], 'int64').to({ device: matrix.device }));
}
