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

/**
 * The operations that published genotypes have besides: those of NASNet and AmoebaNet as the authors' code of DARTS writes
 * them (cnn/operations.py), and those that its successors added (`OPS` of SGAS, github.com/lightaime/sgas, and of
 * AutoDL-Projects, github.com/D-X-Y/AutoDL-Projects).
 */
const FURTHER_OPERATIONS = [
  'sep_conv_7x7',
  'conv_7x1_1x7',
  'conv_3x1_1x3',
  'conv_1x1',
  'conv_3x3',
  'nor_conv_1x1',
  'nor_conv_3x3',
  'nor_conv_5x5',
  'nor_conv_7x7',
] as const;

/** All operations that a cell of this family can have. */
export const CELL_OPERATIONS = [...DARTS_OPERATIONS, ...FURTHER_OPERATIONS] as const;

export type DartsOperation = (typeof CELL_OPERATIONS)[number];

/** An edge into a node: the operation and the state that it reads. States 0 and 1 are the inputs, 2 is the first node. */
export type DartsEdge = readonly [operation: DartsOperation, state: number];

/** The edges of a cell: pairs, two for each node; or, where nodes have another number of edges, a list for each node. */
export type DartsEdges = readonly DartsEdge[] | readonly (readonly DartsEdge[])[];

/**
 * A pair of cells in the common format, with the keys of the authors' `Genotype`. The edges are listed node by node. The
 * output of a cell is the concatenation of the states in `*_concat`.
 *
 * @typeParam Edges the pairs that DARTS derives, two for each node; `DartsEdges` where other genotypes can stand too
 */
export interface DartsGenotype<Edges extends DartsEdges = readonly DartsEdge[]> {
  readonly normal: Edges;
  readonly normal_concat: readonly number[];
  readonly reduce: Edges;
  readonly reduce_concat: readonly number[];
}

/** Number of edges into a node that pairs in one list are for. */
export const USUAL_EDGES = 2;

/** The edges of each node. */
export function edgesByNode(edges: DartsEdges): readonly (readonly DartsEdge[])[] {
  if (!isFlat(edges)) return edges;
  return Array.from({ length: edges.length / USUAL_EDGES }, (_, node) =>
    edges.slice(USUAL_EDGES * node, USUAL_EDGES * (node + 1)),
  );
}

/** The edges of all nodes in the form of a genotype. */
export function edgesOf(nodes: readonly (readonly DartsEdge[])[]): DartsEdges {
  return nodes.every(({ length }) => length === USUAL_EDGES) ? nodes.flat() : nodes;
}

function isFlat(edges: DartsEdges): edges is readonly DartsEdge[] {
  return typeof edges[0]?.[0] === 'string';
}
