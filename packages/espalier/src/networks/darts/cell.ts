import { cat, type fused, nn, type Tensor } from '@espalier/torch';
import { type Path, pathOf, sumOf } from '../mixture-terms.js';
import type { CellPlan } from './cell-plan.js';
import { type DartsEdges, edgesByNode } from './genotype.js';
import { FactorizedReduce, makeOperation, ReluConvBn } from './operations.js';
import { runOperations } from './run-operations.js';

/** Layers that bring both inputs of a cell to its number of channels, and the earlier input to the size of the later. */
export function preprocessors(plan: CellPlan, affine: boolean): [nn.Layer, nn.Layer] {
  return [
    plan.lastReduced
      ? new FactorizedReduce(plan.beforeLast, plan.own, affine)
      : new ReluConvBn(plan.beforeLast, plan.own, 1, affine),
    new ReluConvBn(plan.last, plan.own, 1, affine),
  ];
}

/** A cell of a discrete architecture. Each node is the sum of some operations, mostly two, on earlier states. */
export class Cell extends nn.Module {
  readonly preprocess0: nn.Layer;
  readonly preprocess1: nn.Layer;
  /** The operations node by node, in the order of the genotype. Their indices are part of the parameter names. */
  readonly _ops: readonly nn.Layer[];
  readonly kind: 'normal' | 'reduction';
  /** The state that each operation reads. */
  readonly #states: readonly number[];
  /** For each node the indices of its operations. */
  readonly #nodes: readonly (readonly number[])[];
  readonly #concat: readonly number[];

  constructor(cell: DartsEdges, concat: readonly number[], plan: CellPlan) {
    super();
    this.kind = plan.reduces ? 'reduction' : 'normal';
    [this.preprocess0, this.preprocess1] = preprocessors(plan, true);
    const nodes = edgesByNode(cell);
    const edges = nodes.flat();
    this._ops = edges.map(([operation, state]) =>
      makeOperation(operation, plan.own, plan.reduces && state < 2 ? 2 : 1, true),
    );
    this.#states = edges.map(([, state]) => state);
    let next = 0;
    this.#nodes = nodes.map((own) => own.map(() => next++));
    this.#concat = concat;
  }

  /**
   * @param beforeLast output of the last cell but one
   * @param last output of the last cell
   * @param dropProbability the probability of dropping a path in training, except through an identity operation
   */
  forward(beforeLast: Tensor, last: Tensor, dropProbability: number): Tensor {
    const states = [this.preprocess0.forward(beforeLast), this.preprocess1.forward(last)];
    // Operations that read the same state are run together.
    const values: fused.MixtureTerm[] = [];
    const leave = (state: number) => {
      const edges = [...this._ops.keys()].filter((edge) => this.#states[edge] === state);
      const operations = edges.map((edge) => [this._ops[edge] as nn.Layer]);
      const made = runOperations(operations, states[state] as Tensor);
      for (const [place, edge] of edges.entries()) values[edge] = made[place] as fused.MixtureTerm;
    };
    const path = (edge: number): Path => {
      const drops = this.training && !(this._ops[edge] instanceof nn.Identity);
      return pathOf(values[edge] as fused.MixtureTerm, drops ? dropProbability : 0);
    };
    leave(0);
    leave(1);
    for (const node of this.#nodes) {
      states.push(sumOf(node.map(path)));
      leave(states.length - 1);
    }
    return cat(
      this.#concat.map((state) => states[state] as Tensor),
      1,
    );
  }
}
