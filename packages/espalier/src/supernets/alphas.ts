import { nn, noGrad, randn, scope, type Tensor, tensor } from '@espalier/torch';

/** The architecture parameters of one kind of cell: a row an edge, a column an operation; near zero at first. */
export class Alphas extends nn.Module {
  readonly values: nn.Parameter;

  constructor(edges: number, operations: number) {
    super();
    this.values = new nn.Parameter(noGrad(() => randn([edges, operations], { dtype: 'float32' }).mul_(1e-3)));
  }

  /** The weights of some edges: softmax over the operations, [edges, operations] for each group of them. */
  weightsOf(groups: readonly (readonly number[])[]): Tensor[] {
    const weights = this.values.softmax(-1);
    return groups.map((edges) =>
      weights.indexSelect(0, tensor(edges, 'int64').to({ device: weights.device })),
    );
  }

  /** The weights of the mixture, edge by edge: softmax over the operations, as tensors without dimensions. */
  weights(): Tensor[][] {
    return this.values
      .softmax(-1)
      .unbind(0)
      .map((row) => row.unbind(0));
  }

  /** The same as numbers. */
  weightNumbers(): number[][] {
    const [edges, operations] = this.values.shape as [number, number];
    const weights = scope(() => noGrad(() => this.values.softmax(-1).toNumbers()));
    return Array.from({ length: edges }, (_, edge) =>
      weights.slice(edge * operations, (edge + 1) * operations),
    );
  }
}
