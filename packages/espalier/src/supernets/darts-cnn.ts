import { cat, nn, type Tensor } from '@espalier/torch';
import { preprocessors } from '../networks/darts/cell.js';
import { type CellPlan, planCells } from '../networks/darts/cell-plan.js';
import {
  DARTS_OPERATIONS,
  type DartsEdge,
  type DartsGenotype,
  type DartsOperation,
} from '../networks/darts/genotype.js';
import { makeOperation } from '../networks/darts/operations.js';
import { runOperations } from '../networks/darts/run-operations.js';
import { sumOf } from '../networks/mixture-terms.js';
import { PoolNorm } from '../networks/pool-norm.js';
import type { InputShape } from '../space/space.js';
import { Alphas, type Relaxation } from './alphas.js';
import { MixedOperation, mixtures } from './mixed-operation.js';
import { strongestEdges } from './strongest-edges.js';
import type { DerivationRule, Supernet } from './supernet.js';

/** All operations on one edge. Batch norm follows the pooling ones, as in the authors' code. */
function mixedOperation(channels: number, stride: number): Edge {
  return new MixedOperation(DARTS_OPERATIONS, (name) => {
    if (name !== 'max_pool_3x3' && name !== 'avg_pool_3x3')
      return makeOperation(name, channels, stride, false);
    const norm = new nn.BatchNorm2d(channels, { affine: false });
    return new PoolNorm(name === 'max_pool_3x3' ? 'max' : 'avg', stride, norm);
  });
}

type Edge = MixedOperation<DartsOperation>;

/** A cell with an edge from every earlier state to every node. */
class SuperCell extends nn.Module {
  readonly preprocess0: nn.Layer;
  readonly preprocess1: nn.Layer;
  readonly _ops: readonly Edge[];
  readonly kind: 'normal' | 'reduction';

  constructor(
    private readonly nodes: number,
    readonly plan: CellPlan,
  ) {
    super();
    this.kind = plan.reduces ? 'reduction' : 'normal';
    [this.preprocess0, this.preprocess1] = preprocessors(plan, false);
    this._ops = Array.from({ length: nodes }, (_, node) =>
      Array.from({ length: node + 2 }, (_, state) =>
        mixedOperation(plan.own, plan.reduces && state < 2 ? 2 : 1),
      ),
    ).flat();
  }

  /**
   * All operations on all edges. The edges that leave one state are run together: each state is ready when those of all
   * states before it have been added up.
   *
   * @param weights of the edges that leave each state: [edges, operations]
   */
  mix(beforeLast: Tensor, last: Tensor, weights: readonly Tensor[]): Tensor {
    const states = [this.preprocess0.forward(beforeLast), this.preprocess1.forward(last)];
    const nodes: Tensor[] = [];
    for (const [from, own] of weights.entries()) {
      const edges = edgesFrom(from, this.nodes);
      const operations = edges.map(({ edge }) => this._ops[edge] as Edge);
      const values = mixtures(operations, states[from] as Tensor, own, this.plan.own, runOperations);
      for (const [place, { node }] of edges.entries()) {
        const value = values[place] as Tensor;
        nodes[node] = nodes[node]?.add(value) ?? value;
      }
      if (from > 0) states.push(nodes[from - 1] as Tensor);
    }
    return cat(nodes, 1);
  }

  /** @param chosen the operations of the edges that are there, by the edges' places */
  path(beforeLast: Tensor, last: Tensor, chosen: ReadonlyMap<number, DartsOperation>): Tensor {
    const states = [this.preprocess0.forward(beforeLast), this.preprocess1.forward(last)];
    for (let node = 0; node < this.nodes; node++) {
      const first = firstEdge(node);
      const values = states.flatMap((state, i) => {
        const name = chosen.get(first + i);
        if (name === undefined) return [];
        return [runOperations([(this._ops[first + i] as Edge).operation(name)], state)];
      });
      states.push(sumOf(values));
    }
    return cat(states.slice(2), 1);
  }
}

/** The edges that leave a state, and the nodes that they enter. */
function edgesFrom(state: number, nodes: number): { readonly node: number; readonly edge: number }[] {
  const first = Math.max(0, state - 1);
  return Array.from({ length: nodes - first }, (_, place) => {
    const node = first + place;
    return { node, edge: firstEdge(node) + state };
  });
}

/** The place of a node's first edge: the nodes before it have 2, 3, ... edges. */
function firstEdge(node: number): number {
  return (node * (node + 3)) / 2;
}

/**
 * The supernet of `darts-cnn`: the continuous relaxation of all pairs of cells (section 2.2) in the network of the
 * search on CIFAR-10 (section A.1.1): [N, channels, height, width] to the logits [N, classes]. Its modules and
 * parameters have the names of the authors' search network. As there, the architecture parameters are not among the
 * network's `parameters()` or in its state.
 */
export class DartsSupernet extends nn.Layer implements Supernet {
  readonly stem: nn.Sequential;
  readonly cells: readonly SuperCell[];
  readonly classifier: nn.Linear;
  readonly #normal: Alphas;
  readonly #reduce: Alphas;
  readonly #nodes: number;

  /** @param options channels of a node in the first cells, number of cells, nodes of a cell */
  constructor(
    shape: InputShape,
    options: { readonly channels: number; readonly layers: number; readonly nodes: number },
  ) {
    super();
    const { channels, layers, nodes } = options;
    const stem = { channels: 3 * channels, reduced: false };
    this.stem = new nn.Sequential(
      new nn.Conv2d(shape.channels, stem.channels, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(stem.channels),
    );
    const plans = planCells(layers, channels, stem, { normal: nodes, reduce: nodes });
    this.cells = plans.map((plan) => new SuperCell(nodes, plan));
    this.classifier = new nn.Linear(nodes * (plans.at(-1) as CellPlan).own, shape.classes);
    this.#normal = new Alphas(firstEdge(nodes), DARTS_OPERATIONS.length);
    this.#reduce = new Alphas(firstEdge(nodes), DARTS_OPERATIONS.length);
    this.#nodes = nodes;
  }

  /** Of the normal and of the reducing cells: [edges, operations] each, before the softmax over the operations. */
  architectureParameters(): { readonly normal: nn.Parameter; readonly reduce: nn.Parameter } {
    return { normal: this.#normal.values, reduce: this.#reduce.values };
  }

  /** All operations at once, mixed by the softmax of the architecture parameters. */
  forward(image: Tensor): Tensor {
    // The last node is read by none.
    const states = Array.from({ length: this.#nodes + 1 }, (_, state) => state);
    const leaving = (alphas: Alphas) =>
      alphas.weightsOf(states.map((state) => edgesFrom(state, this.#nodes).map(({ edge }) => edge)));
    const [normal, reduce] = [leaving(this.#normal), leaving(this.#reduce)];
    return this.#run(image, (cell, beforeLast, last) =>
      cell.mix(beforeLast, last, cell.plan.reduces ? reduce : normal),
    );
  }

  /**
   * One architecture with the shared weights: only its two edges a node, unweighted, as random search with weight
   * sharing runs them (Li & Talwalkar 2019).
   */
  forwardPath(image: Tensor, genotype: DartsGenotype): Tensor {
    const choose = (edges: readonly DartsEdge[]) =>
      new Map(
        edges.map(([operation, state], place) => [firstEdge(Math.floor(place / 2)) + state, operation]),
      );
    const [normal, reduce] = [choose(genotype.normal), choose(genotype.reduce)];
    return this.#run(image, (cell, beforeLast, last) =>
      cell.path(beforeLast, last, cell.plan.reduces ? reduce : normal),
    );
  }

  /**
   * The pair of cells that the architecture parameters favour: for each node the two edges whose strongest operation
   * other than 'none' is strongest, each with that operation (section 2.4); the stronger edge first, as in the authors'
   * code.
   *
   * @param rule with a limit of skip connections, the weakest of those of the normal cell give way to the next strongest
   * operations or edges, one after the other (P-DARTS, Chen et al. 2019, section 3.3)
   */
  derive({ maxSkips = Number.POSITIVE_INFINITY }: DerivationRule = {}): DartsGenotype {
    const concat = Array.from({ length: this.#nodes }, (_, node) => node + 2);
    return {
      normal: deriveWithFewSkips(this.#normal.weightNumbers(), this.#nodes, maxSkips),
      normal_concat: concat,
      reduce: deriveEdges(this.#reduce.weightNumbers(), this.#nodes),
      reduce_concat: concat,
    };
  }

  relax(relaxation: Relaxation): void {
    this.#normal.relaxation = relaxation;
    this.#reduce.relaxation = relaxation;
  }

  override to(target: Parameters<nn.Module['to']>[0]): this {
    this.#normal.to(target);
    this.#reduce.to(target);
    return super.to(target);
  }

  override free(): void {
    this.#normal.free();
    this.#reduce.free();
    super.free();
  }

  #run(image: Tensor, run: (cell: SuperCell, beforeLast: Tensor, last: Tensor) => Tensor): Tensor {
    let beforeLast = this.stem.forward(image);
    let last = beforeLast;
    for (const cell of this.cells) [beforeLast, last] = [last, run(cell, beforeLast, last)];
    return this.classifier.forward(last.adaptiveAvgPool2d(1).flatten(1));
  }
}

/** The rule of section 2.4 on the weights of the edges of a cell. */
function deriveEdges(weights: readonly (readonly number[])[], nodes: number): DartsEdge[] {
  return Array.from({ length: nodes }, (_, node) =>
    strongestEdges(weights.slice(firstEdge(node), firstEdge(node + 1)), DARTS_OPERATIONS, 2),
  )
    .flat()
    .map(({ operation, state }): DartsEdge => [operation, state]);
}

/** The same with at most so many skip connections: the weight of the weakest is set to zero until there are no more. */
function deriveWithFewSkips(
  weights: readonly (readonly number[])[],
  nodes: number,
  maxSkips: number,
): DartsEdge[] {
  const skip = DARTS_OPERATIONS.indexOf('skip_connect');
  const left = weights.map((ofOperations) => [...ofOperations]);
  for (;;) {
    const edges = deriveEdges(left, nodes);
    const skips = edges.flatMap(([operation, state], place) =>
      operation === 'skip_connect' ? [firstEdge(Math.floor(place / 2)) + state] : [],
    );
    if (skips.length <= maxSkips) return edges;
    const weakest = skips.reduce((least, edge) =>
      (left[edge]?.[skip] as number) < (left[least]?.[skip] as number) ? edge : least,
    );
    (left[weakest] as number[])[skip] = 0;
  }
}
