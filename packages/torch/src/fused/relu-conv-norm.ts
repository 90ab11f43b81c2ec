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
  return reluConvNorms([input], [units])[0] as Normalised;
}

/**
 * The same of units of several kinds: filters of another size, padding or dilation each, but with a stride, an output of
 * a size and numbers of channels that are all the same.
 *
 * @param inputs one [N, C, H, W] that all of them read; or one of each kind, [N, units C, H, W]
 * @returns of each kind
 */
export function reluConvNorms(
  inputs: readonly (Tensor | Normalised)[],
  kinds: readonly (readonly ReluConvNorm[])[],
): Normalised[] {
  const units = kinds.flat();
  const norms = units.map(({ norm }) => norm);
  const firsts = kinds.map(([first]) => (first as ReluConvNorm).depthwise);
  const { weight, momentum, epsilon } = norms[0] as BatchNormLayer;
  const isLearned = weight !== undefined;
  const outputs = invoke(
    operator,
    inputs.map((input) => (input instanceof Normalised ? input.values : input).handle),
    inputs.map((input) => (input instanceof Normalised ? input.scale?.handle : undefined)),
    inputs.map((input) => (input instanceof Normalised ? input.shift?.handle : undefined)),
    units.flatMap(({ depthwise }) => (depthwise === undefined ? [] : [depthwise.weight.handle])),
    units.map(({ pointwise }) => pointwise.handle),
    isLearned ? norms.map((each) => (each.weight as Tensor).handle) : [],
    isLearned ? norms.map((each) => (each.bias as Tensor).handle) : [],
    runningStatistics(norms),
    kinds.map(({ length }) => length),
    firsts[0]?.stride[0] ?? 1,
    firsts.map((depthwise) => depthwise?.padding[0] ?? 0),
    firsts.map((depthwise) => depthwise?.dilation[0] ?? 1),
    momentum,
    epsilon,
  ) as number[];
  const tensors = outputs.map((handle) => new Tensor(handle));
  return kinds.map((each, kind) => {
    const [values, scale, shift] = tensors.slice(3 * kind, 3 * kind + 3) as [Tensor, Tensor, Tensor];
    const kept = scaleAndShift(each.map(({ norm }) => norm));
    return new Normalised(values, kept?.[0] ?? scale, kept?.[1] ?? shift);
  });
}
