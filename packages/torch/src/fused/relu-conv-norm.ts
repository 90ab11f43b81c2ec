import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import type { BatchNormLayer, ConvolutionLayer } from './layers.js';
import { Normalised } from './mixture.js';
import { normArguments, scaleAndShift } from './norms.js';

const operator = new Operator('espalier::relu_conv_norm', '');

/** Rectified linear units, an optional depthwise convolution, a pointwise convolution and batch norm. */
export interface ReluConvNorm {
  readonly depthwise?: ConvolutionLayer;
  /** The weight of the pointwise convolution, [out, C, 1, 1]. */
  readonly pointwise: Tensor;
  readonly norm: BatchNormLayer;
}

/**
 * Runs several units at once: rectifies their input once, and leaves the normalisation of their output to whoever reads it. All
 * units have the same sizes, stride, padding and dilation.
 *
 * @param input [N, C, H, W], read by all units; or [N, units C, H, W], the channels of each unit in turn
 * @returns [N, units out, H', W'], the channels of each unit in turn
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function reluConvNorm(input: Tensor | Normalised, units: readonly ReluConvNorm[]): Normalised {
  return reluConvNorms([input], [units])[0] as Normalised;
}

/**
 * Runs units of several kinds: each kind has filters of its own size, padding and dilation. Stride, output size and numbers of
 * channels are the same for all.
 *
 * @param inputs one [N, C, H, W] that all units read; or for each kind an [N, units C, H, W]
 * @returns for each kind [N, units out, H', W']
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function reluConvNorms(
  inputs: readonly (Tensor | Normalised)[],
  kinds: readonly (readonly ReluConvNorm[])[],
): Normalised[] {
  const units = kinds.flat();
  const { gamma, beta, running, momentum, epsilon } = normArguments(
    'relu_conv_norm',
    units.map(({ norm }) => norm),
  );
  const steps = kinds.map(stepsOf);
  const strides = new Set(steps.map(({ stride }) => stride));
  if (strides.size > 1)
    throw new RangeError(
      `relu_conv_norm: kinds of units have the strides ${[...strides].join(', ')}; allowed: one stride`,
    );
  const outputs = invoke(
    operator,
    inputs.map((input) => (input instanceof Normalised ? input.values : input).handle),
    inputs.map((input) => (input instanceof Normalised ? input.scale?.handle : undefined)),
    inputs.map((input) => (input instanceof Normalised ? input.shift?.handle : undefined)),
    units.flatMap(({ depthwise }) => (depthwise === undefined ? [] : [depthwise.weight.handle])),
    units.map(({ pointwise }) => pointwise.handle),
    gamma,
    beta,
    running,
    kinds.map(({ length }) => length),
    steps[0]?.stride,
    steps.map(({ padding }) => padding),
    steps.map(({ dilation }) => dilation),
    momentum,
    epsilon,
  ) as number[];
  const tensors = outputs.map((handle) => new Tensor(handle));
  return kinds.map((each, kind) => {
    const [values, scale, shift] = tensors.slice(3 * kind, 3 * kind + 3) as [Tensor, Tensor, Tensor];
    const eachNorm = each.map(({ norm }) => norm);
    const kept = scaleAndShift('relu_conv_norm', values, eachNorm);
    return new Normalised(values, kept?.[0] ?? scale, kept?.[1] ?? shift);
  });
}

interface Steps {
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

const withoutFilters: Steps = { stride: 1, padding: 0, dilation: 1 };

/** The steps that all depthwise convolutions of a kind share. */
function stepsOf(units: readonly ReluConvNorm[]): Steps {
  const first = units[0]?.depthwise;
  if (first === undefined) return withoutFilters;
  for (const { depthwise } of units) {
    if (depthwise === undefined) continue; // the kernel counts the weights
    for (const name of ['stride', 'padding', 'dilation'] as const) {
      const [down, right, ...more] = depthwise[name];
      if (down !== first[name][0] || right !== down || more.length > 0)
        throw new RangeError(
          `relu_conv_norm: the depthwise convolutions of one kind have the ${name} [${first[name]}] and [${depthwise[name]}]; allowed: one number for all, down as to the right`,
        );
    }
    if (depthwise.bias !== undefined)
      throw new RangeError('relu_conv_norm: a depthwise convolution has a bias; allowed: none');
  }
  return { stride: first.stride[0], padding: first.padding[0], dilation: first.dilation[0] };
}
