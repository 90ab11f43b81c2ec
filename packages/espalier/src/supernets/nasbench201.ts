import { nn, type Tensor } from '@espalier/torch';
import { makeNasBench201Operation, makeStages, makeStem, ResidualBlock } from '../networks/nasbench201.js';
import {
  NASBENCH201_OPERATIONS,
  type NasBench201Architecture,
  type NasBench201Operation,
  readCell,
  writeCell,
} from '../networks/nasbench201-cell.js';
import type { InputShape } from '../space/space.js';
import { Alphas, type Relaxation } from './alphas.js';
import { MixedOperation } from './mixed-operation.js';
import type { CellChoice, Supernet } from './supernet.js';

/** The value of an edge, given by its place among the edges of a cell, for the state that it reads. */
type EdgeValue = (edge: number, operation: MixedOperation<NasBench201Operation>, state: Tensor) => Tensor;

/** A cell with all operations on every edge. Batch norm has no scale and shift. */
class SuperCell extends nn.Module {
  readonly _ops: readonly MixedOperation<NasBench201Operation>[];

  constructor(
    private readonly nodes: number,
    channels: number,
  ) {
    super();
    this._ops = Array.from(
      { length: edgeCount(nodes) },
      () =>
        new MixedOperation(NASBENCH201_OPERATIONS, (name) => makeNasBench201Operation(name, channels, false)),
    );
  }

  forward(input: Tensor, evaluate: EdgeValue): Tensor {
    const states = [input];
    for (let node = 1; node < this.nodes; node++) {
      const first = edgeCount(node);
      const values = states.map((state, from) =>
        evaluate(first + from, this._ops[first + from] as MixedOperation<NasBench201Operation>, state),
      );
      states.push(values.reduce((sum, value) => sum.add(value)));
    }
    return states.at(-1) as Tensor;
  }
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
    const weights = this.#alphas.weights();
    return this.#run(image, (edge, operation, state) => operation.mixture(state, weights[edge] as Tensor[]));
  }

  /** One architecture with the shared weights. @throws InputError for anything that is no architecture of the space */
  forwardPath(image: Tensor, architecture: NasBench201Architecture): Tensor {
    const chosen = readCell(architecture.cell, this.#nodes).flat();
    return this.#run(image, (edge, operation, state) =>
      operation.single(state, chosen[edge] as NasBench201Operation),
    );
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

  #run(image: Tensor, evaluate: EdgeValue): Tensor {
    let features = this.stem.forward(image);
    for (const cell of this.cells)
      features = cell instanceof ResidualBlock ? cell.forward(features) : cell.forward(features, evaluate);
    return this.classifier.forward(this.lastact.forward(features).adaptiveAvgPool2d(1).flatten(1));
  }
}
