import type { Tensor } from '../tensor.js';
import { Layer } from './module.js';

/** Applies layers one after the other; the state dictionary names them 0, 1, 2, .... */
export class Sequential extends Layer {
  readonly layers: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    this.layers = layers;
  }

  override *children(): Generator<[string, Layer]> {
    for (const [index, layer] of this.layers.entries()) yield [String(index), layer];
  }

  forward(input: Tensor): Tensor {
    return this.layers.reduce((value, layer) => layer.forward(value), input);
  }
}

/** Returns its input. */
export class Identity extends Layer {
  forward(input: Tensor): Tensor {
    return input;
  }
}

/** Flattens all dimensions but the first: [N, ...] to [N, product of the others]. */
export class Flatten extends Layer {
  forward(input: Tensor): Tensor {
    return input.flatten(1);
  }
}
