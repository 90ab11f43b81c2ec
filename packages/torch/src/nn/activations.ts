import type { Tensor } from '../tensor.js';
import { Layer } from './module.js';

/** max(0, x) */
export class ReLU extends Layer {
  forward(input: Tensor): Tensor {
    return input.relu();
  }
}

/** min(max(0, x), 6) (Howard et al. 2017) */
export class ReLU6 extends Layer {
  forward(input: Tensor): Tensor {
    return input.hardtanh(0, 6);
  }
}

/** x where x is positive, `negativeSlope` times x elsewhere. */
export class LeakyReLU extends Layer {
  constructor(readonly negativeSlope = 0.01) {
    super();
  }

  forward(input: Tensor): Tensor {
    return input.leakyRelu(this.negativeSlope);
  }
}

/** x Phi(x), with the distribution function Phi of N(0, 1) (Hendrycks & Gimpel 2016). */
export class GELU extends Layer {
  readonly approximate: 'none' | 'tanh';

  /**
   * @param options approximate: `tanh` computes x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
   * @throws RangeError for another approximation
   */
  constructor(options: { approximate?: 'none' | 'tanh' } = {}) {
    super();
    const { approximate = 'none' } = options;
    if (approximate !== 'none' && approximate !== 'tanh')
      throw new RangeError(`approximate must be 'none' or 'tanh', not '${approximate}'`);
    this.approximate = approximate;
  }

  forward(input: Tensor): Tensor {
    return input.gelu({ approximate: this.approximate });
  }
}

/** x sigmoid(x), also called swish (Ramachandran et al. 2017). */
export class SiLU extends Layer {
  forward(input: Tensor): Tensor {
    return input.silu();
  }
}

/** x min(max(0, x + 3), 6) / 6 (Howard et al. 2019) */
export class Hardswish extends Layer {
  forward(input: Tensor): Tensor {
    return input.hardswish();
  }
}

/** 1 / (1 + exp(-x)) */
export class Sigmoid extends Layer {
  forward(input: Tensor): Tensor {
    return input.sigmoid();
  }
}

/** min(max(0, x + 3), 6) / 6 (Howard et al. 2019) */
export class Hardsigmoid extends Layer {
  forward(input: Tensor): Tensor {
    return input.hardsigmoid();
  }
}

export class Tanh extends Layer {
  forward(input: Tensor): Tensor {
    return input.tanh();
  }
}

/** exp(x) over the sum of exp(x) along one dimension. */
export class Softmax extends Layer {
  /**
   * @param dimension counted from the first, or from the last as -1, -2, ...
   * @throws RangeError for a dimension that is not an integer
   */
  constructor(readonly dimension: number) {
    super();
    if (!Number.isInteger(dimension))
      throw new RangeError(`the dimension of Softmax must be an integer, not ${dimension}`);
  }

  forward(input: Tensor): Tensor {
    return input.softmax(this.dimension);
  }
}
