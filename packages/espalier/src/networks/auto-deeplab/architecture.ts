import type { OperationName } from './operations.js';

/**
 * A block of a cell, (I1, I2, O1, O2) in section 3.1: operation O1 on input I1 plus operation O2 on input I2. Input 0 is
 * the output of the previous layer, 1 that of the layer before it, and 2, 3, ... are the earlier blocks of the cell.
 */
export type Block = readonly [first: number, second: number, onFirst: OperationName, onSecond: OperationName];

/** A network of Auto-DeepLab with a cell of its own in each layer, which the paper's conclusion asks for. */
export interface UntiedAutoDeepLab {
  /** As in `AutoDeepLab`. */
  readonly path: readonly number[];
  /** The cell of each layer. */
  readonly cells: readonly (readonly Block[])[];
}

/** The cell of each layer. */
export function cellsOf(architecture: AutoDeepLab | UntiedAutoDeepLab): readonly (readonly Block[])[] {
  return 'cells' in architecture ? architecture.cells : architecture.path.map(() => architecture.cell);
}

/** A network of Auto-DeepLab (Liu et al. 2019, section 3). */
export interface AutoDeepLab {
  /** The level of each layer: 0 = stride 4, 1 = stride 8, 2 = stride 16, 3 = stride 32. It changes by at most 1 per layer. */
  readonly path: readonly number[];
  /** The cell that all layers share. */
  readonly cell: readonly Block[];
}
