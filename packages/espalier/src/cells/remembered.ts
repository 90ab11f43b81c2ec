import { fused, type nn, scope, type Tensor } from '@espalier/torch';
import type { EdgeValue } from './edge-value.js';

/** What layers gave, each for one input. It is computed once and lives outside all scopes until it is freed. */
export class Remembered {
  readonly #values = new Map<nn.Layer, EdgeValue>();
  readonly #tensors: Tensor[] = [];

  tensor(layer: nn.Layer, compute: () => Tensor): Tensor {
    return this.value(layer, compute) as Tensor;
  }

  value(layer: nn.Layer, compute: () => EdgeValue): EdgeValue {
    let value = this.#values.get(layer);
    if (value === undefined) {
      value = this.#keep(compute);
      this.#values.set(layer, value);
    }
    return value;
  }

  #keep(compute: () => EdgeValue): EdgeValue {
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
    this.#values.clear();
  }
}
