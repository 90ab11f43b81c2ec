import { nn, type Tensor } from '@espalier/torch';

/** All operations of a space side by side on one edge. */
export class MixedOperation<Name extends string> extends nn.Module {
  readonly _ops: readonly nn.Layer[];
  readonly #parts = new Map<string, MixedOperation<Name>>();

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
    // Alone, it says what the zeros are like.
    return terms.length === 0
      ? this.single(input, 'none' as Name)
      : terms.reduce((sum, term) => sum.add(term));
  }

  /** Some of the operations, by their places, with the same parameters. */
  only(places: readonly number[]): MixedOperation<Name> {
    if (places.length === this.names.length) return this;
    const key = places.join();
    const part =
      this.#parts.get(key) ??
      new MixedOperation(
        places.map((place) => this.names[place] as Name),
        (name) => this.operation(name),
      );
    this.#parts.set(key, part);
    return part;
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
