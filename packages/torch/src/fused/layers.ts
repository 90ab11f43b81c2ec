import type { Tensor } from '../tensor.js';

/** What the kernels read of a batch norm. */
export interface BatchNormLayer {
  readonly training: boolean;
  /** Added to the variance. */
  readonly epsilon: number;
  /** The share of the new batch in the running statistics. */
  readonly momentum: number;
  /** [C] each; the first two where it scales and shifts, the others where it keeps statistics. */
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  readonly running_mean?: Tensor;
  readonly running_var?: Tensor;
  readonly num_batches_tracked?: Tensor;
}

/** What they read of a depthwise convolution, whose steps are the same down and to the right. */
export interface ConvolutionLayer {
  readonly weight: Tensor;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
}

/** What they read of a cell of an LSTM: gates in PyTorch's order i, f, g, o. */
export interface LstmLayer {
  readonly weight_ih: Tensor;
  readonly weight_hh: Tensor;
  readonly bias_ih: Tensor;
  readonly bias_hh: Tensor;
}
