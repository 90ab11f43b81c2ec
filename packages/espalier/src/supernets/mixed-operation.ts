import { fused, nn, type Tensor } from '@espalier/torch';
import type { OnEdges } from '../networks/run-together.js';

/** All operations of a space side by side on one edge. */
export class MixedOperation<Name extends string> extends nn.Module {
  readonly _ops: readonly nn.Layer[];

  /** @param make the operation of a name; the operation 'none', if there is one, gives zeros */
  constructor(
    readonly names: readonly Name[],
    make: (name: Name) => nn.Layer,
  ) {
    super();
    this._ops = names.map(make);
  }

  /**
   * The sum of all operations, each times its weight (DARTS, section 2.2, equation 2).
   *
   * @param weights one for each operation, without dimensions
   */
  mixture(input: Tensor, weights: readonly Tensor[]): Tensor {
    // 'none' adds zeros whatever its weight is. It acts through the softmax, where it takes weight from the others.
    const terms = this._ops.flatMap((operation, k) =>
      this.names[k] === 'none' ? [] : [operation.forward(input).mul(weights[k] as Tensor)],
    );
    return terms.reduce((sum, term) => sum.add(term));
  }

  /** One operation alone. */
  single(input: Tensor, name: Name): Tensor {
    return this.operation(name).forward(input);
  }

  /** The operation of a name. */
  operation(name: Name): nn.Layer {
    return this._ops[this.names.indexOf(name)] as nn.Layer;
  }
}

/**
 * The mixed operations of the edges that leave a state: a value [N, channels, H', W'] for each edge.
 *
 * @param weights [edges, operations]
 * @param run applies operations to the state with the kernels, each operation on all edges
 * @param starts for each edge, what its value is added to
 */
export function mixtures<Name extends string>(
  edges: readonly MixedOperation<Name>[],
  state: Tensor,
  weights: Tensor,
  channels: number,
  run: (operations: readonly OnEdges[], state: Tensor) => fused.MixtureTerm[],
  starts: readonly (Tensor | undefined)[] = [],
): Tensor[] {
  const [first] = edges as readonly [MixedOperation<Name>];
  const { names } = first;
  if (!fused.servesLayer(first, state))
    return edges.map((edge, place) => {
      const value = edge.mixture(state, weights.select(0, place).unbind(0));
      return starts[place]?.add(value) ?? value;
    });
  // 'none' comes first if there is one. It adds nothing, whatever its weight is.
  const from = names[0] === 'none' ? 1 : 0;
  const terms = run(
    names.slice(from).map((name) => edges.map((edge) => edge.operation(name))),
    state,
  );
  return fused.mixture(terms, weights.narrow(1, from, terms.length), channels, undefined, starts);
}
