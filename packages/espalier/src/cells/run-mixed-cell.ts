import type { Tensor } from '@espalier/torch';
import type { CellGraph } from './cell-graph.js';
import { chooseExecution } from './choose-execution.js';
import { alikeEdges, type EdgeWeights } from './edge-weights.js';
import type { Execution } from './execution.js';
import type { MixedOperation } from './mixed-operation.js';

/** An edge with all operations of a space. */
export interface MixedEdge {
  readonly from: number;
  readonly operation: MixedOperation<string>;
}

/** What edges do besides mixing operations. */
export interface AroundMixtures {
  /**
   * @param from the place of a state
   * @returns what the operations on the state read of it, and what becomes of their mixture on an edge, by the edge's place
   */
  enter(
    state: Tensor,
    from: number,
  ): { readonly read: Tensor; readonly leave: (mixture: Tensor, place: number) => Tensor };
}

/** For each state that is read, the weights of the edges that leave it. */
export type LeavingWeights = readonly EdgeWeights[];

/**
 * Computes the continuous relaxation of a cell (DARTS, section 2.2): each node is the sum of its edges' mixtures, each of
 * which is the sum of all operations on an earlier state, times their weights. How that is computed depends on the device
 * of the inputs. The operations keep the number of channels.
 *
 * @param inputs [N, C, H, W] each
 * @returns the nodes
 */
export function runMixedCell(
  graph: CellGraph<MixedEdge>,
  inputs: readonly Tensor[],
  weights: LeavingWeights,
  around?: AroundMixtures,
): readonly Tensor[] {
  return runMixedCells(graph, [], [inputs], weights, around)[0] as readonly Tensor[];
}

/**
 * The same for several cells that share their operations and their first inputs. What leaves those is computed once.
 *
 * @param shared the first inputs, which are the same for all
 * @param own the further inputs of each
 * @returns the nodes of each
 */
export function runMixedCells(
  graph: CellGraph<MixedEdge>,
  shared: readonly Tensor[],
  own: readonly (readonly Tensor[])[],
  weights: LeavingWeights,
  around?: AroundMixtures,
): readonly (readonly Tensor[])[] {
  const [first] = graph.edges;
  if (first === undefined) return own.map(() => []);
  const execution = chooseExecution(first.operation, [...shared, ...own.flat()]);
  const leave = (sums: Sums, state: Tensor, from: number): Sums =>
    addLeaving({ graph, execution, weights, around }, sums, state, from);
  const begun = shared.reduce<Sums>(leave, []);
  return own.map((inputs) => {
    let sums = inputs.reduce<Sums>(
      (sofar, state, place) => leave(sofar, state, shared.length + place),
      begun,
    );
    // A node is complete when the edges from all states before it have been added up.
    for (let from = graph.inputs; from < graph.leaving.length; from++)
      sums = leave(sums, sums[from - graph.inputs] as Tensor, from);
    return sums as readonly Tensor[];
  });
}

/** The nodes, as far as they have been added up. */
type Sums = readonly (Tensor | undefined)[];

interface MixedRun {
  readonly graph: CellGraph<MixedEdge>;
  readonly execution: Execution;
  readonly weights: LeavingWeights;
  readonly around: AroundMixtures | undefined;
}

/** Adds the mixtures on the edges that leave a state to the nodes that they enter. */
function addLeaving(
  { graph, execution, weights, around }: MixedRun,
  sums: Sums,
  state: Tensor,
  from: number,
): Sums {
  const leaving = graph.leaving[from] ?? [];
  if (leaving.length === 0) return sums;
  const { read, leave } = around?.enter(state, from) ?? { read: state, leave: undefined };
  const values: Tensor[] = [];
  const operations = leaving.map(({ edge }) => edge.operation);
  for (const { places, ...alike } of alikeEdges(operations, weights[from] as EdgeWeights)) {
    // Where nothing becomes of the mixtures, the nodes' sums are continued in them.
    const starts = leave === undefined ? places.map((place) => sums[leaving[place]?.node as number]) : [];
    const mixed = execution.mixtures(alike.operations, read, alike.weights, starts);
    for (const [index, place] of places.entries()) values[place] = mixed[index] as Tensor;
  }
  const next = [...sums];
  for (const [place, edge] of leaving.entries()) {
    const value = values[place] as Tensor;
    if (leave === undefined) next[edge.node] = value;
    else {
      const whole = leave(value, edge.place);
      next[edge.node] = next[edge.node]?.add(whole) ?? whole;
    }
  }
  return next;
}
