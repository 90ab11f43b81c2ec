import { nn } from '@espalier/torch';

/** Options of batch norm: the constant added to the variance, and the weight of a new batch in the running statistics. */
export type Normalization = Pick<nn.BatchNormOptions, 'epsilon' | 'momentum'>;

interface ConvolutionOptions {
  readonly kernel: readonly [number, number];
  readonly stride?: readonly [number, number];
  readonly dilation?: number;
}

/** A convolution without bias, followed by batch norm. Padded so that stride 1 preserves height and width. */
export function convolution(
  inputs: number,
  outputs: number,
  normalization: Normalization,
  { kernel, stride = [1, 1], dilation = 1 }: ConvolutionOptions = { kernel: [1, 1] },
): nn.Layer[] {
  const [height, width] = kernel;
  return [
    new nn.Conv2d(inputs, outputs, kernel, {
      stride,
      dilation,
      padding: [(dilation * (height - 1)) / 2, (dilation * (width - 1)) / 2],
      bias: false,
    }),
    new nn.BatchNorm2d(outputs, normalization),
  ];
}

/**
 * A separable convolution, applied twice as always in this space (section 3), with the stride in the first one. Each
 * consists of ReLU, a depthwise and a 1x1 convolution with nothing in between, and batch norm.
 */
export function separableConvolution(
  inputs: number,
  outputs: number,
  size: number,
  stride: number,
  normalization: Normalization,
): nn.Sequential {
  const once = (from: number, by: number) => [
    new nn.ReLU(),
    new nn.Conv2d(from, from, size, { stride: by, padding: (size - 1) / 2, groups: from, bias: false }),
    ...convolution(from, outputs, normalization),
  ];
  return new nn.Sequential(...once(inputs, stride), ...once(outputs, 1));
}
