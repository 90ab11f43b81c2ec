import { layerNorm } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { requireEpsilon, requireInteger } from './constructor-arguments.js';
import { constant } from './init.js';
import { Layer, Parameter } from './module.js';
import { requireDtype } from './require-dtype.js';

export interface LayerNormOptions {
  /** Added to the variance; 1e-5 by default. */
  epsilon?: number;
  /** Whether the layer learns a scale; on by default. */
  affine?: boolean;
  /** Whether an affine layer learns a shift in addition to the scale; on by default. */
  bias?: boolean;
}

/** Layer normalisation (Ba et al. 2016) over the last dimensions, whose sizes are `shape`. */
export class LayerNorm extends Layer {
  readonly weight?: Parameter;
  readonly bias?: Parameter;
  readonly shape: readonly number[];
  readonly epsilon: number;

  /** @throws RangeError for sizes that are not integers of at least 1, and for a negative epsilon */
  constructor(shape: number | readonly number[], options: LayerNormOptions = {}) {
    super();
    const { epsilon = 1e-5, affine = true, bias = true } = options;
    this.shape = typeof shape === 'number' ? [shape] : [...shape];
    if (this.shape.length === 0)
      throw new RangeError('LayerNorm needs at least one dimension to normalise over');
    for (const size of this.shape) requireInteger('a size of the normalised shape', size);
    this.epsilon = requireEpsilon(epsilon);
    if (!affine) return;
    this.weight = new Parameter(constant(this.shape, 1));
    if (bias) this.bias = new Parameter(constant(this.shape, 0));
  }

  /** @throws TypeError for an input of another element type than the weights */
  forward(input: Tensor): Tensor {
    requireDtype('LayerNorm', input, this.weight);
    return layerNorm(input, this.shape, this.weight, this.bias, this.epsilon);
  }
}
