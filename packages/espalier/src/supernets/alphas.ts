import { nn, noGrad, randn, scope, type Tensor, tensor } from '@espalier/torch';
import type { EdgeWeights } from '../cells/edge-weights.js';

/** Maps architecture parameters [edges, operations] to the weights of the mixtures, of the same shape. */
export type Relaxation = (alphas: Tensor) => Tensor;

const softmax: Relaxation = (alphas) => alphas.softmax(-1);

/** The architecture parameters of one kind of cell: a row for each edge, a column for each operation; near zero at first. */
export class Alphas extends nn.Module {
  readonly values: nn.Parameter;
  /** The continuous relaxation of the choice (DARTS, equation 2), unless a strategy sets another. */
  relaxation: Relaxation = softmax;

  constructor(edges: number, operations: number) {
    super();
    this.values = new nn.Parameter(noGrad(() => randn([edges, operations], { dtype: 'float32' }).mul_(1e-3)));
  }

  /** The weights of the mixtures, [edges, operations]. */
  mixtureWeights(): Tensor {
    return this.relaxation(this.values);
  }

  /** The weights of groups of edges. Of a weight that is zero and gets no gradient, the operation is left out. */
  weightsOf(groups: readonly (readonly number[])[]): EdgeWeights[] {
    const weights = this.mixtureWeights();
    const used = weights.requiresGrad ? undefined : placesOfOthersThanZero(weights);
    return groups.map((edges) => ({
      values: weights.indexSelect(0, tensor(edges, 'int64').to({ device: weights.device })),
      ...(used === undefined ? {} : { used: edges.map((edge) => used[edge] as readonly number[]) }),
    }));
  }

  /** The weights of the mixtures, edge by edge, as tensors without dimensions. */
  weights(): Tensor[][] {
    return this.mixtureWeights()
      .unbind(0)
      .map((row) => row.unbind(0));
  }

  /** The softmax of each row as numbers, whatever the relaxation. Architectures are derived from it. */
  weightNumbers(): number[][] {
    const [edges, operations] = this.values.shape as [number, number];
    const weights = scope(() => noGrad(() => this.values.softmax(-1).toNumbers()));
    return Array.from({ length: edges }, (_, edge) =>
      weights.slice(edge * operations, (edge + 1) * operations),
    );
  }
}

/** For each row, the places of the values other than zero; undefined if none is zero. */
function placesOfOthersThanZero(matrix: Tensor): number[][] | undefined {
  const [rows, columns] = matrix.shape as [number, number];
  const values = scope(() => noGrad(() => matrix.flatten().toNumbers()));
  if (!values.includes(0)) return undefined;
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => column).filter(
      (column) => values[row * columns + column] !== 0,
    ),
  );
}
