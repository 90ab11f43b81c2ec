import type { OperationName } from './operations.js';

/**
 * A block of a cell, as (I1, I2, O1, O2) of section 3.1: operation O1 on input I1 plus operation O2 on input I2.
 * Inputs: 0 the output of the previous layer, 1 that of the layer before it, 2, 3, ... the cell's blocks so far.
 */
export type Block = readonly [first: number, second: number, onFirst: OperationName, onSecond: OperationName];

/** A network of Auto-DeepLab (Liu et al. 2019, section 3). */
export interface AutoDeepLab {
  /** Of each layer its level: 0 = stride 4, 1 = stride 8, 2 = stride 16, 3 = stride 32; neighbours differ by 1 at most. */
  readonly path: readonly number[];
  /** The one cell that all layers are made of. */
  readonly cell: readonly Block[];
}
