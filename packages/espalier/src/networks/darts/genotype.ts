/** The operations of DARTS (Liu, Simonyan & Yang 2018, section 3.1.1), in the order of the authors' code. */
export const DARTS_OPERATIONS = [
  'none',
  'max_pool_3x3',
  'avg_pool_3x3',
  'skip_connect',
  'sep_conv_3x3',
  'sep_conv_5x5',
  'dil_conv_3x3',
  'dil_conv_5x5',
] as const;

export type DartsOperation = (typeof DARTS_OPERATIONS)[number];

/** An edge into a node: the operation, and the state that it reads (0 and 1 are the cell's inputs, 2 the first node). */
export type DartsEdge = readonly [operation: DartsOperation, state: number];

/**
 * A pair of cells as the field writes it. Two edges a node, node by node; the states of `*_concat` are concatenated
 * as the cell's output. Keys are those of the authors' `Genotype`.
 */
export interface DartsGenotype {
  readonly normal: readonly DartsEdge[];
  readonly normal_concat: readonly number[];
  readonly reduce: readonly DartsEdge[];
  readonly reduce_concat: readonly number[];
}
