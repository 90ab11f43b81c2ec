import { groupNorm } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { requireEpsilon, requireGroups, requireInteger } from './constructor-arguments.js';
import { constant } from './init.js';
import { Layer, Parameter } from './module.js';
import { requireDtype } from './require-dtype.js';

/**
 * Group normalisation (Wu & He 2018) of [N, channels, ...]: normalises each group of channels of each example by the
 * group's own mean and variance. With one group it normalises over all channels; with as many groups as channels it is
 * instance normalisation.
 */
export class GroupNorm extends Layer {
  readonly weight?: Parameter;
  readonly bias?: Parameter;
  readonly groups: number;
  readonly channels: number;
  readonly epsilon: number;

  /**
   * @param options epsilon, added to the variance, 1e-5 by default; affine, whether the layer learns a scale and a shift
   *   for each channel, on by default
   * @throws RangeError for sizes that are not integers of at least 1, if `groups` does not divide `channels`, and for a
   *   negative epsilon
   */
  constructor(groups: number, channels: number, options: { epsilon?: number; affine?: boolean } = {}) {
    super();
    const { epsilon = 1e-5, affine = true } = options;
    this.channels = requireInteger('channels', channels);
    this.groups = requireGroups(groups, { channels });
    this.epsilon = requireEpsilon(epsilon);
    if (!affine) return;
    this.weight = new Parameter(constant([channels], 1));
    this.bias = new Parameter(constant([channels], 0));
  }

  /** @throws RangeError for an input with another number of channels; TypeError for one of another element type */
  forward(input: Tensor): Tensor {
    const { shape } = input;
    if (shape[1] !== this.channels)
      throw new RangeError(
        `GroupNorm takes tensors of shape [N, ${this.channels}, ...], not one of shape [${shape.join(', ')}]`,
      );
    requireDtype('GroupNorm', input, this.weight);
    return groupNorm(input, this.groups, this.weight, this.bias, this.epsilon);
  }
}
