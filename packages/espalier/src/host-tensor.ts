/** The values of a tensor outside libtorch, in C order. */
export interface HostTensor {
  readonly dtype: 'float32' | 'float64' | 'int64' | 'uint8';
  readonly shape: readonly number[];
  /** In the machine's byte order; length: the product of the shape times the bytes of an element. */
  readonly data: Uint8Array;
}
