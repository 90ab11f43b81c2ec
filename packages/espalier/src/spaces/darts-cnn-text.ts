import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../json.js';
import {
  CELL_OPERATIONS,
  DARTS_OPERATIONS,
  type DartsEdge,
  type DartsOperation,
  edgesOf,
  USUAL_EDGES,
} from '../networks/darts/genotype.js';
import type { PublishedGenotype } from '../space/space.js';
import { readNniCells } from './nni-cells.js';

/** The states of a cell before its first node. */
const INPUTS = 2;

/** Names that other code has for the same operations (GDAS, github.com/D-X-Y/AutoDL-Projects). */
const OTHER_NAMES: ReadonlyMap<unknown, string> = new Map([
  ['dua_sepc_3x3', 'sep_conv_3x3'],
  ['dua_sepc_5x5', 'sep_conv_5x5'],
  ['dil_sepc_3x3', 'dil_conv_3x3'],
  ['dil_sepc_5x5', 'dil_conv_5x5'],
]);

/** A cell as its text has it. Its operations and states may be wrong. */
interface WrittenCell {
  readonly nodes: readonly (readonly DartsEdge[])[];
  readonly concat: unknown;
}

/**
 * What published code writes of a pair of cells, in the form of DARTS, with the options of the space that it implies:
 *
 * - DARTS (Liu, Simonyan & Yang 2018): a list of pairs (operation, state), two for each node;
 * - GDAS and pt.darts: a list for each node (Dong & Yang 2019; github.com/khanrc/pt.darts);
 * - AutoDL-Projects: triples with the weight of the edge at the end;
 * - FairDARTS (Chu et al. 2020): triples (operation, node, state), any number for a node. A node that nothing enters is
 *   left out, with the edges that come from it;
 * - NNI: a key for each choice, see `readNniCells`.
 *
 * @returns undefined where the content does not have the keys of such a pair; the content as it is where it has another
 *   form, so that the space can say what is wrong
 */
export function readPublishedCells(
  content: Readonly<Record<string, unknown>>,
): PublishedGenotype | undefined {
  const nni = readNniCells(content);
  if (nni !== undefined) {
    const read = readPublishedCells(nni.cells);
    return read && { ...read, options: { ...nni.options, ...read.options } };
  }
  if (!Array.isArray(content.normal) && !Array.isArray(content.reduce)) return undefined;
  // Fields that a code has for other genotypes than this one.
  const given = Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null));
  const normal = cellOf(given.normal, given.normal_concat);
  const reduce = cellOf(given.reduce, given.reduce_concat);
  const known = normal ?? reduce;
  if (known === undefined) return { architecture: content, options: {} };
  return {
    architecture: {
      ...given,
      ...(normal === undefined ? {} : { normal: edgesOf(normal.nodes), normal_concat: normal.concat }),
      ...(reduce === undefined ? {} : { reduce: edgesOf(reduce.nodes), reduce_concat: reduce.concat }),
    },
    options: impliedOptions(normal ?? known, reduce ?? known),
  };
}

/** Undefined for a form that is not known. */
function cellOf(edges: unknown, concat: unknown): WrittenCell | undefined {
  if (!isListOfLists(edges) || edges.length === 0) return undefined;
  if (edges.every((node) => isListOfLists(node) && node.length > 0)) {
    const nodes = (edges as unknown[][][]).map((node) => node.map(edgeOf));
    return { nodes, concat };
  }
  const fair = edges.map(fairEdgeOf);
  if (fair.every((edge) => edge !== undefined)) return fairCell(fair, concat);
  if (edges.length % USUAL_EDGES !== 0 || edges.some((edge) => typeof edge[0] !== 'string')) return undefined;
  return {
    nodes: Array.from({ length: edges.length / USUAL_EDGES }, (_, node) =>
      edges.slice(USUAL_EDGES * node, USUAL_EDGES * (node + 1)).map(edgeOf),
    ),
    concat,
  };
}

function isListOfLists(value: unknown): value is unknown[][] {
  return Array.isArray(value) && value.every(Array.isArray);
}

/** An edge under the usual name, without its weight. Another one than a pair or a triple stays as it is. */
function edgeOf(edge: readonly unknown[]): DartsEdge {
  const [operation, state, weight] = edge;
  const isPair = edge.length === 2 || (edge.length === 3 && typeof weight === 'number');
  return (isPair ? [OTHER_NAMES.get(operation) ?? operation, state] : edge) as unknown as DartsEdge;
}

interface FairEdge {
  readonly node: number;
  readonly edge: DartsEdge;
}

/** A triple (operation, node, state). The second number of one with a weight is a state, which can be 0 or 1 first. */
function fairEdgeOf(triple: readonly unknown[]): FairEdge | undefined {
  const [operation, node, state] = triple;
  const isOne =
    triple.length === 3 &&
    Number.isInteger(node) &&
    Number.isInteger(state) &&
    (node as number) >= INPUTS &&
    (state as number) >= 0 &&
    (state as number) < (node as number);
  return isOne ? { node: node as number, edge: edgeOf([operation, state]) } : undefined;
}

/** Leaves out the nodes that no edge enters and the edges that come from them, and numbers the other nodes anew. */
function fairCell(edges: readonly FairEdge[], concat: unknown): WrittenCell {
  /** The new numbers of the states that there are. */
  const states = new Map([
    [0, 0],
    [1, 1],
  ]);
  const nodes: DartsEdge[][] = [];
  for (const node of [...new Set(edges.map((one) => one.node))].sort((a, b) => a - b)) {
    const own = edges.flatMap(({ node: its, edge: [operation, from] }): DartsEdge[] => {
      const state = states.get(from);
      return its === node && state !== undefined ? [[operation, state]] : [];
    });
    if (own.length === 0) continue;
    states.set(node, states.size);
    nodes.push(own);
  }
  return {
    nodes,
    concat: Array.isArray(concat) ? concat.flatMap((state) => states.get(state) ?? []) : concat,
  };
}

/** The options of the space that a pair of cells needs, where they are not the defaults. */
function impliedOptions(normal: WrittenCell, reduce: WrittenCell): Record<string, Json> {
  const nodes = [...normal.nodes, ...reduce.nodes];
  const operations = new Set(nodes.flat().map(([operation]) => operation));
  const further = CELL_OPERATIONS.filter(
    (operation) => operations.has(operation) && !(DARTS_OPERATIONS as readonly string[]).includes(operation),
  );
  const counts = nodes.map(({ length }) => length);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const isDistinct = nodes.every((own) => new Set(own.map(([, state]) => state)).size === own.length);
  const concat = impliedConcat(normal, reduce);
  return {
    nodes:
      normal.nodes.length === reduce.nodes.length
        ? normal.nodes.length
        : [normal.nodes.length, reduce.nodes.length],
    ...(operations.has('none') ? { none: true } : {}),
    ...(further.length === 0 ? {} : { operations: [...DERIVED_OPERATIONS, ...further] }),
    ...(most === USUAL_EDGES && fewest === most ? {} : { edges: fewest === most ? most : [fewest, most] }),
    ...(isDistinct ? {} : { distinct: false }),
    ...(concat === undefined ? {} : { concat }),
  };
}

/** The operations of a derived cell (2.4). */
export const DERIVED_OPERATIONS = DARTS_OPERATIONS.filter(
  (operation): operation is Exclude<(typeof DARTS_OPERATIONS)[number], 'none'> => operation !== 'none',
) satisfies DartsOperation[];

/** Undefined where both cells concatenate all nodes, and where a concatenation is none: the space says so. */
function impliedConcat(normal: WrittenCell, reduce: WrittenCell): Json | undefined {
  const isAll = ({ nodes, concat }: WrittenCell) => isDeepStrictEqual(concat, allNodes(nodes.length));
  if (isAll(normal) && isAll(reduce)) return undefined;
  const isOne = (kind: 'normal' | 'reduce', cell: WrittenCell) =>
    isConcatenation(cell.concat, kind, cell.nodes.length);
  if (!isOne('normal', normal) || !isOne('reduce', reduce)) return undefined;
  return { normal: normal.concat as Json, reduce: reduce.concat as Json };
}

/** The states that a DARTS cell concatenates. */
export function allNodes(nodes: number): number[] {
  return Array.from({ length: nodes }, (_, node) => node + INPUTS);
}

/** The first state that a kind of cell can concatenate: the inputs of a reduction cell are larger than its nodes. */
export function firstConcatenated(kind: 'normal' | 'reduce'): number {
  return kind === 'normal' ? 0 : INPUTS;
}

/** Whether a value lists different states that a cell can concatenate. */
export function isConcatenation(value: unknown, kind: 'normal' | 'reduce', nodes: number): value is number[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every(
      (state) => Number.isInteger(state) && state >= firstConcatenated(kind) && state < nodes + INPUTS,
    )
  );
}
