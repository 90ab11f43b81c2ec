import { type fused, nn, type Tensor } from '@espalier/torch';
import { sumOf } from '../networks/mixture-terms.js';
import { makeNasBench201Operation, makeStages, makeStem, ResidualBlock } from '../networks/nasbench201.js';
import {
  NASBENCH201_OPERATIONS,
  type NasBench201Architecture,
  type NasBench201Operation,
  readCell,
  writeCell,
} from '../networks/nasbench201-cell.js';
import { runNasBench201Operations } from '../networks/run-nasbench201-operations.js';
import type { InputShape } from '../space/space.js';
import { Alphas, type Relaxation } from './alphas.js';
import { MixedOperation, mixtures } from './mixed-operation.js';
import type { CellChoice, Supernet } from './supernet.js';

/** A cell with all operations on every edge. Batch norm has no scale and shift. */
class SuperCell extends nn.Module {
  readonly _ops: readonly MixedOperation<NasBench201Operation>[];

  constructor(
    private readonly nodes: number,
    private readonly channels: number,
  ) {
    super();
    this._ops = Array.from(
      { length: edgeCount(nodes) },
      () =>
        new MixedOperation(NASBENCH201_OPERATIONS, (name) => makeNasBench201Operation(name, channels, false)),
    );
  }

  /**
   * All operations on all edges. The edges that leave one state run together: a state is complete when the edges from all
   * states before it have been added up.
   *
   * @param weights for each state but the last, those of the edges that leave it: [edges, operations]
   */
  mix(input: Tensor, weights: readonly Tensor[]): Tensor {
    const states: (Tensor | undefined)[] = [input];
    for (const [from, own] of weights.entries()) {
      const leaving = edgesFrom(from, this.nodes);
      const values = mixtures(
        leaving.map(({ edge }) => this._ops[edge] as MixedOperation<NasBench201Operation>),
        states[from] as Tensor,
        own,
        this.channels,
        runNasBench201Operations,
        leaving.map(({ node }) => states[node]),
      );
      for (const [place, { node }] of leaving.entries()) states[node] = values[place];
    }
    return states.at(-1) as Tensor;
  }

  /** One operation on each edge, by the places of the edges. */
  path(input: Tensor, chosen: readonly NasBench201Operation[]): Tensor {
    const states = [input];
    for (let node = 1; node < this.nodes; node++) {
      const first = edgeCount(node);
      const terms = states.map((state, from) => {
        const edge = first + from;
        const operation = this._ops[edge] as MixedOperation<NasBench201Operation>;
        const name = chosen[edge] as NasBench201Operation;
        const [term] = runNasBench201Operations([[operation.operation(name)]], state);
        return { term: term as fused.MixtureTerm };
      });
      states.push(sumOf(terms));
    }
    return states.at(-1) as Tensor;
  }
}

/** The edges that leave a state, with the states that they enter. */
function edgesFrom(state: number, nodes: number): { readonly node: number; readonly edge: number }[] {
  return Array.from({ length: nodes - 1 - state }, (_, place) => {
    const node = state + 1 + place;
    return { node, edge: edgeCount(node) + state };
  });
}

/** How many edges there are between so many nodes, each of which reads all before it. */
function edgeCount(nodes: number): number {
  return (nodes * (nodes - 1)) / 2;
}

/**
 * The supernet of `nasbench201`, on which its authors run the searches with shared weights (Dong & Yang 2020, section 5):
 * [N, channels, height, width] to the logits [N, classes], with height and width divisible by 4. All cells share the
 * architecture parameters, which are neither among `parameters()` nor in the state.
 */
export class NasBench201Supernet extends nn.Layer implements Supernet {
  readonly stem: nn.Sequential;
  readonly cells: readonly (SuperCell | ResidualBlock)[];
  readonly lastact: nn.Sequential;
  readonly classifier: nn.Linear;
  readonly #alphas: Alphas;
  readonly #nodes: number;

  /** @param options channels of the first stage, cells of each of the three stages, nodes of a cell */
  constructor(
    shape: InputShape,
    options: { readonly channels: number; readonly cells: number; readonly nodes: number },
  ) {
    super();
    const { nodes } = options;
    const { stages, channels } = makeStages(options, (own) => new SuperCell(nodes, own));
    this.stem = makeStem(shape, options.channels);
    this.cells = stages;
    this.lastact = new nn.Sequential(new nn.BatchNorm2d(channels), new nn.ReLU());
    this.classifier = new nn.Linear(channels, shape.classes);
    this.#alphas = new Alphas(edgeCount(nodes), NASBENCH201_OPERATIONS.length);
    this.#nodes = nodes;
  }

  /** [edges, operations], before the softmax over the operations. */
  architectureParameters(): { readonly cell: nn.Parameter } {
    return { cell: this.#alphas.values };
  }

  /** All operations at once, mixed by the softmax of the architecture parameters. */
  forward(image: Tensor): Tensor {
    const states = Array.from({ length: this.#nodes - 1 }, (_, state) => state);
    const weights = this.#alphas.weightsOf(
      states.map((state) => edgesFrom(state, this.#nodes).map(({ edge }) => edge)),
    );
    return this.#run(image, (cell, input) => cell.mix(input, weights));
  }

  /** One architecture with the shared weights. @throws InputError for anything that is no architecture of the space */
  forwardPath(image: Tensor, architecture: NasBench201Architecture): Tensor {
    const chosen = readCell(architecture.cell, this.#nodes).flat();
    return this.#run(image, (cell, input) => cell.path(input, chosen));
  }

  /** The architecture with the strongest operation on every edge; 'none' is one of them in this space. */
  derive(): NasBench201Architecture {
    const best = this.#alphas
      .weightNumbers()
      .map(
        (weights) => NASBENCH201_OPERATIONS[weights.indexOf(Math.max(...weights))] as NasBench201Operation,
      );
    const cell = Array.from({ length: this.#nodes - 1 }, (_, node) =>
      best.slice(edgeCount(node + 1), edgeCount(node + 2)),
    );
    return { cell: writeCell(cell) };
  }

  /** Every edge is kept, with any operation: 'none' is one of the architectures' operations. */
  choices(): { readonly cell: CellChoice } {
    const nodes = Array.from({ length: this.#nodes - 1 }, (_, place) => {
      const edges = Array.from({ length: place + 1 }, (_, from) => edgeCount(place + 1) + from);
      return { edges, keeps: edges.length };
    });
    return { cell: { nodes, operations: [...NASBENCH201_OPERATIONS.keys()] } };
  }

  relax(relaxation: Relaxation): void {
    this.#alphas.relaxation = relaxation;
  }

  override to(target: Parameters<nn.Module['to']>[0]): this {
    this.#alphas.to(target);
    return super.to(target);
  }

  override free(): void {
    this.#alphas.free();
    super.free();
  }

  #run(image: Tensor, run: (cell: SuperCell, input: Tensor) => Tensor): Tensor {
    let features = this.stem.forward(image);
    for (const cell of this.cells)
      features = cell instanceof ResidualBlock ? cell.forward(features) : run(cell, features);
    return this.classifier.forward(this.lastact.forward(features).adaptiveAvgPool2d(1).flatten(1));
  }
}
