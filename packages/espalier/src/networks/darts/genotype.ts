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

/** An edge into a node: the operation and the state that it reads. States 0 and 1 are the inputs, 2 is the first node. */
export type DartsEdge = readonly [operation: DartsOperation, state: number];

/**
 * A pair of cells in the common format, with the keys of the authors' `Genotype`. The edges are listed node by node, two
 * per node. The output of a cell is the concatenation of the states in `*_concat`.
 */
export interface DartsGenotype {
  readonly normal: readonly DartsEdge[];
  readonly normal_concat: readonly number[];
  readonly reduce: readonly DartsEdge[];
  readonly reduce_concat: readonly number[];
}
