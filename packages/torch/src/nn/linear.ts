import { linear } from '../fused/matmul.js';
import type { Tensor } from '../tensor.js';
import { requireInteger } from './constructor-arguments.js';
import { fanInUniform } from './init.js';
import { Layer, Parameter } from './module.js';
import { requireDtype } from './require-dtype.js';

/** y = x W^T + b over the last dimension: [..., inputs] to [..., outputs]. */
export class Linear extends Layer {
  /** [outputs, inputs] */
  readonly weight: Parameter;
  readonly bias?: Parameter;

  /** @throws RangeError for sizes that are not integers of at least 1 */
  constructor(inputs: number, outputs: number, options: { bias?: boolean } = {}) {
    super();
    requireInteger('inputs', inputs);
    requireInteger('outputs', outputs);
    this.weight = new Parameter(fanInUniform([outputs, inputs], inputs));
    if (options.bias ?? true) this.bias = new Parameter(fanInUniform([outputs], inputs));
  }

  /** @throws TypeError for an input of another element type than the weights */
  forward(input: Tensor): Tensor {
    requireDtype('Linear', input, this.weight);
    return linear(input, this.weight, this.bias);
  }
}
