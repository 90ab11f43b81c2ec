import { fused, scope, type Tensor } from '@espalier/torch';

/** Results that are computed once and live outside all scopes until they are freed. */
export class Remembered {
  readonly #terms = new Map<string, fused.MixtureTerm>();
  readonly #tensors: Tensor[] = [];

  tensor(name: string, compute: () => Tensor): Tensor {
    return this.term(name, compute) as Tensor;
  }

  term(name: string, compute: () => fused.MixtureTerm): fused.MixtureTerm {
    let term = this.#terms.get(name);
    if (term === undefined) {
      term = this.#keep(compute);
      this.#terms.set(name, term);
    }
    return term;
  }

  #keep(compute: () => fused.MixtureTerm): fused.MixtureTerm {
    const parts = scope(() => {
      const made = compute();
      return made instanceof fused.Normalised ? [made.values, made.scale, made.shift] : [made];
    });
    // A result that is its input is kept already.
    for (const tensor of parts) {
      if (!this.#tensors.some(({ handle }) => handle === tensor.handle)) this.#tensors.push(tensor.keep());
    }
    const [values, scale, shift] = parts as [Tensor, Tensor, Tensor];
    return parts.length === 1 ? values : new fused.Normalised(values, scale, shift);
  }

  free(): void {
    for (const tensor of this.#tensors) tensor.free();
    this.#tensors.length = 0;
    this.#terms.clear();
  }
}
