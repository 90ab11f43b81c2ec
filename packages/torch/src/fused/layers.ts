import type { Tensor } from '../tensor.js';

/** What the kernels read of a batch norm. */
export interface BatchNormLayer {
  readonly training: boolean;
  /** Added to the variance. */
  readonly epsilon: number;
  /** The weight of the new batch in the running statistics. */
  readonly momentum: number;
  /** The learned scale and shift, [C] each; both or neither. */
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  /** The running statistics, [C], [C] and a scalar (int64); all or none. */
  readonly running_mean?: Tensor;
  readonly running_var?: Tensor;
  readonly num_batches_tracked?: Tensor;
}

/** What they read of a convolution: depthwise ones without bias, and with equal steps in both directions. */
export interface ConvolutionLayer {
  /** [O, C, K, K]; of a depthwise one [C, 1, K, K] */
  readonly weight: Tensor;
  readonly bias?: Tensor;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}

/** What they read of an LSTM cell. The gates are in PyTorch's order: i, f, g, o. */
export interface LstmLayer {
  /** [4H, H] */
  readonly weight_ih: Tensor;
  readonly weight_hh: Tensor;
  /** [4H] */
  readonly bias_ih: Tensor;
  readonly bias_hh: Tensor;
}
