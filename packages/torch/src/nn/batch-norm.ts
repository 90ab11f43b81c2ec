import { noGrad } from '../autograd.js';
import { runsKernels } from '../fused/kernels.js';
import { normalise } from '../fused/normalise.js';
import { batchNorm, cat, full, zeros } from '../operators.generated.js';
import { allReduced, hasWholeBatches } from '../process-group.js';
import type { Tensor } from '../tensor.js';
import { requireEpsilon, requireInteger } from './constructor-arguments.js';
import { constant } from './init.js';
import { Buffer, Layer, Parameter } from './module.js';
import { requireDtype } from './require-dtype.js';

export interface BatchNormOptions {
  /** Added to the variance; 1e-5 by default. */
  epsilon?: number;
  /** The weight of the newest batch in the running statistics; 0.1 by default. */
  momentum?: number;
  /** Whether the layer learns a scale and a shift; on by default. */
  affine?: boolean;
  /**
   * Whether the layer keeps running statistics for evaluation, as it does by default. Without them it normalises every
   * batch by the batch's own statistics.
   */
  trackRunningStats?: boolean;
}

/** Batch normalisation (Ioffe & Szegedy 2015): normalises each feature, along dimension 1, over all other dimensions. */
abstract class BatchNorm extends Layer {
  readonly weight?: Parameter;
  readonly bias?: Parameter;
  readonly running_mean?: Buffer;
  readonly running_var?: Buffer;
  readonly num_batches_tracked?: Buffer;
  readonly epsilon: number;
  readonly momentum: number;

  protected constructor(
    private readonly features: number,
    private readonly dimensions: readonly number[],
    options: BatchNormOptions,
  ) {
    super();
    const { epsilon = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = options;
    requireInteger('features', features);
    this.epsilon = requireEpsilon(epsilon);
    this.momentum = momentum;
    if (affine) {
      this.weight = new Parameter(constant([features], 1));
      this.bias = new Parameter(constant([features], 0));
    }
    if (trackRunningStats) {
      this.running_mean = new Buffer(constant([features], 0));
      this.running_var = new Buffer(constant([features], 1));
      this.num_batches_tracked = new Buffer(zeros([], { dtype: 'int64' }));
    }
  }

  /**
   * @throws RangeError for an input of other dimensions or another number of features, and for one with a single value of
   *   each feature where the statistics are its own; TypeError for one of another element type than the layer's
   */
  forward(input: Tensor): Tensor {
    const { shape } = input;
    const { name } = this.constructor;
    const shown = `[${shape.join(', ')}]`;
    if (!this.dimensions.includes(shape.length))
      throw new RangeError(
        `${name} takes tensors of ${this.dimensions.join(' or ')} dimensions, not one of shape ${shown}`,
      );
    if (shape[1] !== this.features)
      throw new RangeError(
        `${name} normalises ${this.features} features, but dimension 1 of a tensor of shape ${shown} has ${shape[1]}`,
      );
    requireDtype(name, input, this.weight ?? this.running_mean);
    const useBatch = this.training || this.running_mean === undefined;
    if (useBatch && shape.every((length, dimension) => dimension === 1 || length === 1))
      throw new RangeError(
        `${name} cannot normalise a batch of shape ${shown}: a single value of each feature has no variance`,
      );
    const tracked = this.num_batches_tracked;
    if (this.training && this.#runsKernels(input)) return normalise(input, [this]).toTensor();
    if (this.training && tracked !== undefined) noGrad(() => tracked.add_(1));
    if (useBatch && hasWholeBatches()) return this.#overProcesses(input);
    return batchNorm(
      input,
      this.weight,
      this.bias,
      this.running_mean,
      this.running_var,
      useBatch,
      this.momentum,
      this.epsilon,
      true,
    );
  }

  /** Normalises by the batches of all processes. Means first and then distances from them: float32 allows no other way. */
  #overProcesses(input: Tensor): Tensor {
    const others = [...input.shape.keys()].filter((dimension) => dimension !== 1);
    const broadcast = input.shape.map((length, dimension) => (dimension === 1 ? length : 1));
    const { running_mean, running_var, weight, bias, momentum, features } = this;
    const values = input.shape.reduce((product, length) => product * length, 1) / features;
    const own = full([1], values, { dtype: input.dtype, device: input.device });
    const sums = allReduced(cat([input.sum(others), own]));
    const count = sums.narrow(0, features, 1).detach();
    const mean = sums.narrow(0, 0, features).div(count);
    const apart = input.sub(mean.view(broadcast));
    const distances = allReduced(apart.mul(apart).sum(others));
    if (this.training && running_mean !== undefined && running_var !== undefined)
      noGrad(() => {
        running_mean.mul_(1 - momentum).add_(mean, { alpha: momentum });
        running_var.mul_(1 - momentum).add_(distances.div(count.sub(1)), { alpha: momentum });
      });
    const inverse = distances.div(count).add(this.epsilon).rsqrt();
    const scaled = apart.mul((weight === undefined ? inverse : inverse.mul(weight)).view(broadcast));
    return bias === undefined ? scaled : scaled.add(bias.view(broadcast));
  }

  /** Whether a kernel serves the input; it is up to four times as fast as libtorch 1.13. */
  #runsKernels(input: Tensor): boolean {
    const { dtype, shape } = input;
    return shape.length === 4 && runsKernels(input) && (this.weight?.dtype ?? dtype) === dtype;
  }
}

/** Over [N, features] or [N, features, L]. */
export class BatchNorm1d extends BatchNorm {
  constructor(features: number, options: BatchNormOptions = {}) {
    super(features, [2, 3], options);
  }
}

/** Over [N, features, H, W]. */
export class BatchNorm2d extends BatchNorm {
  constructor(features: number, options: BatchNormOptions = {}) {
    super(features, [4], options);
  }
}
