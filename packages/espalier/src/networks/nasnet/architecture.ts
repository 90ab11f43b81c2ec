import type { NasnetOperation } from './operations.js';

/** A block: two hidden states, an operation on each, and the combination of the results into a new hidden state. */
export interface NasnetBlock {
  /** Indices of hidden states: 0 is the output of the previous cell, 1 that of the cell before it, then the blocks in order. */
  readonly inputs: readonly [number, number];
  readonly operations: readonly [NasnetOperation, NasnetOperation];
  readonly combine: (typeof nasnetCombinations)[number];
}

/** Element-wise addition, or concatenation along the filter dimension. */
export const nasnetCombinations = ['add', 'concat'] as const;

export interface NasnetCellArchitecture {
  readonly blocks: readonly NasnetBlock[];
  /** The hidden states whose concatenation is the output of the cell, in ascending order. Indices as in `inputs`. */
  readonly concat: readonly number[];
}

/** The two cells that make up a network of Zoph et al. 2018 (section 3). */
export interface NasnetArchitecture {
  readonly normal: NasnetCellArchitecture;
  readonly reduction: NasnetCellArchitecture;
}

/** The number of hidden states before the first block. */
export const CELL_INPUTS = 2;

/** The width of a hidden state relative to the cell's convolutions: 2 for a block that concatenates, 1 otherwise. */
export function stateWidth({ blocks }: NasnetCellArchitecture, state: number): number {
  return blocks[state - CELL_INPUTS]?.combine === 'concat' ? 2 : 1;
}

/** The width of the cell's output relative to its convolutions. */
export function cellWidth(cell: NasnetCellArchitecture): number {
  return cell.concat.reduce((sum, state) => sum + stateWidth(cell, state), 0);
}
