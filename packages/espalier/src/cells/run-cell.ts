import { cat, type nn, type Tensor } from '@espalier/torch';
import type { CellGraph } from './cell-graph.js';
import { chooseExecution } from './choose-execution.js';
import { type EdgeValue, pathOf, tensorOf } from './edge-value.js';
import type { Remembered } from './remembered.js';

/** An edge with one operation. */
export interface CellEdge {
  readonly from: number;
  /** Edges that read the same state may share a layer, which is then applied once. */
  readonly operation: nn.Layer;
  /** Whether drop path leaves the edge alone, as papers leave the identity. */
  readonly neverDropped?: boolean;
}

export interface CellRunOptions {
  /** The probability of dropping a path in training, of each image on its own; less than 1. 0 by default. */
  readonly dropProbability?: number;
  /**
   * Whether each operation runs by itself, so that what it gives, and its gradients, are the same to the bit whichever
   * others read its state, as paths of a supernet share it.
   */
  readonly oneByOne?: boolean;
  /** Keeps the values of operations on some of the inputs, as told for each, from one run to the next. */
  readonly remembers?: { readonly memory: Remembered; readonly inputs: readonly boolean[] };
}

/**
 * Computes a cell: each node is the sum (or the concatenation) of its edges' operations on earlier states. How that is
 * computed depends on the device of the inputs: operations that read one state run together where kernels serve them.
 *
 * @param inputs [N, C, H, W] each
 * @returns all states: the inputs, and the nodes in their order
 */
export function runCell(
  graph: CellGraph<CellEdge>,
  inputs: readonly Tensor[],
  { dropProbability = 0, oneByOne = false, remembers }: CellRunOptions = {},
): readonly Tensor[] {
  const [first] = graph.edges;
  if (first === undefined) return inputs;
  const execution = chooseExecution(first.operation, inputs);
  const alone = (operation: nn.Layer, state: Tensor) => execution.apply([operation], state)[0] as EdgeValue;
  const apply = (operations: readonly nn.Layer[], state: Tensor, place: number): readonly EdgeValue[] => {
    if (remembers?.inputs[place])
      return operations.map((each) => remembers.memory.value(each, () => alone(each, state)));
    return oneByOne ? operations.map((each) => alone(each, state)) : execution.apply(operations, state);
  };

  const states: Tensor[] = [];
  const values = new Map<CellEdge, EdgeValue>();
  const enter = (state: Tensor): void => {
    const leaving = graph.leaving[states.length] ?? [];
    const operations = [...new Set(leaving.map(({ edge }) => edge.operation))];
    const made = apply(operations, state, states.length);
    for (const { edge } of leaving) values.set(edge, made[operations.indexOf(edge.operation)] as EdgeValue);
    states.push(state);
  };
  for (const input of inputs) enter(input);
  for (const { edges, combine } of graph.nodes) {
    const paths = edges.map((edge) => {
      const drops = edge.operation.training && !edge.neverDropped;
      return pathOf(values.get(edge) as EdgeValue, drops ? dropProbability : 0);
    });
    enter(combine === 'concat' ? cat(paths.map(tensorOf), 1) : execution.sum(paths));
  }
  return states;
}
