import { cat, nn, type Tensor } from '@espalier/torch';
import { CellGraph } from '../../cells/cell-graph.js';
import { type CellEdge, runCell } from '../../cells/run-cell.js';
import type { CellPlan } from './cell-plan.js';
import { type DartsEdges, edgesByNode } from './genotype.js';
import { FactorizedReduce, makeOperation, ReluConvBn } from './operations.js';

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
  readonly #graph: CellGraph<CellEdge>;
  readonly #concat: readonly number[];

  constructor(cell: DartsEdges, concat: readonly number[], plan: CellPlan) {
    super();
    this.kind = plan.reduces ? 'reduction' : 'normal';
    [this.preprocess0, this.preprocess1] = preprocessors(plan, true);
    const nodes = edgesByNode(cell).map((edges) => ({
      edges: edges.map(([name, from]): CellEdge => {
        const operation = makeOperation(name, plan.own, plan.reduces && from < 2 ? 2 : 1, true);
        return { from, operation, neverDropped: operation instanceof nn.Identity };
      }),
    }));
    this.#graph = new CellGraph(2, nodes);
    this._ops = this.#graph.edges.map(({ operation }) => operation);
    this.#concat = concat;
  }

  /**
   * @param beforeLast output of the last cell but one
   * @param last output of the last cell
   * @param dropProbability the probability of dropping a path in training, except through an identity operation
   */
  forward(beforeLast: Tensor, last: Tensor, dropProbability: number): Tensor {
    const inputs = [this.preprocess0.forward(beforeLast), this.preprocess1.forward(last)];
    const states = runCell(this.#graph, inputs, { dropProbability });
    return cat(
      this.#concat.map((state) => states[state] as Tensor),
      1,
    );
  }
}
