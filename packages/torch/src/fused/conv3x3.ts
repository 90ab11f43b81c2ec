import { autocastDevice } from '../autocast.js';
import { invoke, Operator } from '../dispatcher.js';
import { Tensor } from '../tensor.js';
import { runsKernels } from './kernels.js';
import type { ConvolutionLayer } from './layers.js';

const operator = new Operator('espalier::conv3x3', '');

/** With fewer channels or filters, libtorch's convolution is as fast. */
const LEAST_CHANNELS = 4;

/** Side of a tile. With fewer tiles than this in a batch, transforming the filters costs what their use saves. */
const TILE = 4;
const LEAST_TILES = 32;

/** A convolution with its groups. */
type GroupedConvolution = ConvolutionLayer & { readonly groups: number };

/** Whether `conv3x3` computes what this convolution does. */
export function isConv3x3({ weight, bias, stride, padding, dilation, groups }: GroupedConvolution): boolean {
  return (
    weight.shape.slice(2).every((size) => size === 3) &&
    [...stride, ...padding, ...dilation, groups].every((step) => step === 1) &&
    bias === undefined
  );
}

/** Whether `conv3x3` computes what this convolution does of such an input, and faster than libtorch. */
export function suitsConv3x3(input: Tensor, layer: GroupedConvolution): boolean {
  if (!isConv3x3(layer) || input.shape.length !== 4) return false;
  const [filters, channels] = layer.weight.shape as [number, number, number, number];
  if (Math.min(channels, filters) < LEAST_CHANNELS) return false;
  const [images, , height, width] = input.shape as [number, number, number, number];
  const tiles = images * Math.ceil(height / TILE) * Math.ceil(width / TILE);
  return tiles >= LEAST_TILES && runsKernels(input) && autocastDevice() === undefined;
}

/**
 * A 3x3 convolution with stride 1 and a border of one zero, with the filters of several edges that read the same image. It takes
 * a quarter of the multiply-adds of the plain sum (Lavin & Gray 2016, "Fast algorithms for convolutional neural networks",
 * F(4x4, 3x3)), and differs from it by rounding.
 *
 * @param input [N, C, H, W]
 * @param weights [O, C, 3, 3] of each edge
 * @param options rectifies: whether rectified linear units come first
 * @returns [N, sum of O, H, W], the channels of each edge in turn
 * @throws Error naming the operator and the shapes where an argument does not fit
 */
export function conv3x3(
  input: Tensor,
  weights: readonly Tensor[],
  { rectifies = false }: { readonly rectifies?: boolean } = {},
): Tensor {
  const handles = weights.map(({ handle }) => handle);
  return new Tensor(invoke(operator, input.handle, handles, rectifies) as number);
}
