import type { NasnetOperation } from './operations.js';

/** Two hidden states, the operation on each, and how the results make a new hidden state. */
export interface NasnetBlock {
  /** 0 is the output of the cell before, 1 that of the cell before it, then come the blocks in their order. */
  readonly inputs: readonly [number, number];
  readonly operations: readonly [NasnetOperation, NasnetOperation];
  readonly combine: (typeof nasnetCombinations)[number];
}

/** Element-wise addition, or concatenation along the filter dimension. */
export const nasnetCombinations = ['add', 'concat'] as const;

export interface NasnetCellArchitecture {
  readonly blocks: readonly NasnetBlock[];
  /** The hidden states that are concatenated to the cell's output, ascending; counted as a block's inputs. */
  readonly concat: readonly number[];
}

/** The two cells of which a network of Zoph et al. 2018 is made (section 3). */
export interface NasnetArchitecture {
  readonly normal: NasnetCellArchitecture;
  readonly reduction: NasnetCellArchitecture;
}

/** How many hidden states come before the blocks. */
export const CELL_INPUTS = 2;

/** Filters of a hidden state, in filters of the cell's convolutions: concatenation doubles them. */
export function stateWidth({ blocks }: NasnetCellArchitecture, state: number): number {
  return blocks[state - CELL_INPUTS]?.combine === 'concat' ? 2 : 1;
}

/** Filters of the cell's output, in filters of its convolutions. */
export function cellWidth(cell: NasnetCellArchitecture): number {
  return cell.concat.reduce((sum, state) => sum + stateWidth(cell, state), 0);
}
