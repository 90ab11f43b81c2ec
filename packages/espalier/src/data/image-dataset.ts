import type { Augmentation } from './augmentation.js';

/** Images of one size with their classes, in one block of memory. */
export interface ImageSet {
  /** [count, height, width, channels], raw bytes 0 to 255: NHWC, the layout libtorch trains fastest on. */
  readonly images: Uint8Array;
  /** [count], each an index into the data's `classes`. */
  readonly labels: Int32Array;
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** A classification data set as a kind's file opens it. */
export interface ImageData {
  /** The word before the colon of `--data`. */
  readonly kind: string;
  readonly classes: readonly string[];
  readonly train: ImageSet;
  readonly test: ImageSet;
  /** What may be done to a training image of this kind without changing its class. */
  readonly augmentation: Augmentation;
  /**
   * SHA-256 in hexadecimal of the sizes, pixels and labels of both sets, however the files divide them. Computed at
   * each call, for it takes longer than reading the files does.
   */
  readonly checksum: () => string;
}
