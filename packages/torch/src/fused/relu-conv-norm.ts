import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import type { BatchNormLayer, ConvolutionLayer } from './layers.js';
import { Normalised } from './mixture.js';
import { runningStatistics, scaleAndShift } from './running-statistics.js';

const operator = new Operator('espalier::relu_conv_norm', '');

/** Rectified linear units, a depthwise (where there is one) and a pointwise convolution, batch norm. */
export interface ReluConvNorm {
  readonly depthwise?: ConvolutionLayer;
  /** The weight of the pointwise convolution, [out, C, 1, 1]. */
  readonly pointwise: Tensor;
  readonly norm: BatchNormLayer;
}

/**
 * Several of these units at once: what they read is rectified once, and what batch norm makes is not written
 * down. All have the same sizes, stride, padding and dilation.
 *
 * @param input [N, C, H, W], which all units read, or [N, units C, H, W], the channels of each in turn
 * @returns [N, units out, H', W'], the outputs of each in turn
 */
export function reluConvNorm(input: Tensor | Normalised, units: readonly ReluConvNorm[]): Normalised {
  const { depthwise, norm } = units[0] as ReluConvNorm;
  const read = input instanceof Normalised ? input : { values: input, scale: undefined, shift: undefined };
  const norms = units.map((unit) => unit.norm);
  const affine = norm.weight !== undefined;
  const [values, scale, shift] = invoke(
    operator,
    read.values.handle,
    read.scale?.handle,
    read.shift?.handle,
    units.flatMap((unit) => (unit.depthwise === undefined ? [] : [unit.depthwise.weight.handle])),
    units.map(({ pointwise }) => pointwise.handle),
    affine ? norms.map((each) => (each.weight as Tensor).handle) : [],
    affine ? norms.map((each) => (each.bias as Tensor).handle) : [],
    runningStatistics(norms),
    depthwise?.stride[0] ?? 1,
    depthwise?.padding[0] ?? 0,
    depthwise?.dilation[0] ?? 1,
    norm.momentum,
    norm.epsilon,
  ) as [number, number, number];
  const kept = scaleAndShift(norms);
  return new Normalised(new Tensor(values), kept?.[0] ?? new Tensor(scale), kept?.[1] ?? new Tensor(shift));
}
