import { nn, noGrad, randn, scope, type Tensor, tensor } from '@espalier/torch';

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

  /** The weights of groups of edges: [edges, operations] for each group. */
  weightsOf(groups: readonly (readonly number[])[]): Tensor[] {
    const weights = this.mixtureWeights();
    return groups.map((edges) =>
      weights.indexSelect(0, tensor(edges, 'int64').to({ device: weights.device })),
    );
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
