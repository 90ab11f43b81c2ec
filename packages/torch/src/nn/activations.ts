import type { Tensor } from '../tensor.js';
import { Layer } from './module.js';

export class ReLU extends Layer {
  forward(input: Tensor): Tensor {
    return input.relu();
  }
}

export class Sigmoid extends Layer {
  forward(input: Tensor): Tensor {
    return input.sigmoid();
  }
}

export class Tanh extends Layer {
  forward(input: Tensor): Tensor {
    return input.tanh();
  }
}
