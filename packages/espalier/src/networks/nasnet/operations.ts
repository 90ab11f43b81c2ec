import { nn } from '@espalier/torch';
import { convolution, type Normalization, separableConvolution } from './convolution.js';

/** The 13 operations of section 3, by their common names. */
export const nasnetOperations = [
  'skip_connect',
  'conv_1x3_3x1',
  'conv_1x7_7x1',
  'dil_conv_3x3',
  'avg_pool_3x3',
  'max_pool_3x3',
  'max_pool_5x5',
  'max_pool_7x7',
  'conv_1x1',
  'conv_3x3',
  'sep_conv_3x3',
  'sep_conv_5x5',
  'sep_conv_7x7',
] as const;

export type NasnetOperation = (typeof nasnetOperations)[number];

/**
 * Builds an operation from [N, inputs, H, W] to [N, filters, H/stride, W/stride] (rounded up). Convolutions are preceded
 * by ReLU and followed by batch norm. A 1x1 convolution is added if pooling would not give `filters` channels, or if the
 * identity has to change the number of channels or the size.
 */
export function buildOperation(
  operation: NasnetOperation,
  inputs: number,
  filters: number,
  stride: 1 | 2,
  normalization: Normalization,
): nn.Layer {
  const pointwise = (by: number) => [
    new nn.ReLU(),
    ...convolution(inputs, filters, normalization, { kernel: [1, 1], stride: [by, by] }),
  ];
  const pool = (pooling: nn.Layer) =>
    inputs === filters ? pooling : new nn.Sequential(pooling, ...convolution(inputs, filters, normalization));
  const maxPool = (size: number) => pool(new nn.MaxPool2d(size, { stride, padding: (size - 1) / 2 }));
  const separable = (size: number) => separableConvolution(inputs, filters, size, stride, normalization);
  const full = (size: number, dilation: number) => (width: number) =>
    convolution(width, width, normalization, { kernel: [size, size], stride: [stride, stride], dilation });
  /** A 1 x size convolution, then a size x 1 convolution. */
  const split = (size: number) => (width: number) => [
    ...convolution(width, width, normalization, { kernel: [1, size], stride: [1, stride] }),
    new nn.ReLU(),
    ...convolution(width, width, normalization, { kernel: [size, 1], stride: [stride, 1] }),
  ];
  const squeezed = (share: number, inner: (width: number) => nn.Layer[]) =>
    bottleneck(inputs, filters, Math.max(1, Math.floor(filters * share)), inner, normalization);

  switch (operation) {
    case 'skip_connect':
      return stride === 1 && inputs === filters ? new nn.Identity() : new nn.Sequential(...pointwise(stride));
    case 'avg_pool_3x3':
      return pool(new nn.AvgPool2d(3, { stride, padding: 1, countIncludePad: false }));
    case 'max_pool_3x3':
      return maxPool(3);
    case 'max_pool_5x5':
      return maxPool(5);
    case 'max_pool_7x7':
      return maxPool(7);
    case 'conv_1x1':
      return new nn.Sequential(...pointwise(stride));
    case 'conv_3x3':
      return squeezed(1 / 4, full(3, 1));
    case 'dil_conv_3x3':
      return squeezed(1 / 4, full(3, 2));
    case 'conv_1x3_3x1':
      return squeezed(3 / 8, split(3));
    case 'conv_1x7_7x1':
      return squeezed(1 / 4, split(7));
    case 'sep_conv_3x3':
      return separable(3);
    case 'sep_conv_5x5':
      return separable(5);
    case 'sep_conv_7x7':
      return separable(7);
  }
}

/**
 * A bottleneck: convolutions that are not separable work on few filters, between two 1x1 convolutions. The paper does not
 * mention it, but the authors' code for AmoebaNet has it, and its published sizes can only be reproduced with it.
 */
function bottleneck(
  inputs: number,
  filters: number,
  width: number,
  inner: (width: number) => nn.Layer[],
  normalization: Normalization,
): nn.Sequential {
  return new nn.Sequential(
    new nn.ReLU(),
    ...convolution(inputs, width, normalization),
    new nn.ReLU(),
    ...inner(width),
    new nn.ReLU(),
    ...convolution(width, filters, normalization),
  );
}
