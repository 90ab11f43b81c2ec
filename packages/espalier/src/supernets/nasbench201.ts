import { nn, type Tensor } from '@espalier/torch';
import { CellGraph } from '../cells/cell-graph.js';
import { MixedOperation } from '../cells/mixed-operation.js';
import { runCell } from '../cells/run-cell.js';
import { type LeavingWeights, type MixedEdge, runMixedCell } from '../cells/run-mixed-cell.js';
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
import { countSkips, withFewSkips } from './skip-connections.js';
import type { CellChoice, DerivationRule, Supernet } from './supernet.js';

/** A cell with all operations on every edge. Batch norm has no scale and shift. */
class SuperCell extends nn.Module {
  readonly _ops: readonly MixedOperation<NasBench201Operation>[];
  /** Every node reads all states before it. */
  readonly graph: CellGraph<MixedEdge>;

  constructor(nodes: number, channels: number) {
    super();
    const edges = Array.from({ length: nodes - 1 }, (_, node) =>
      Array.from({ length: node + 1 }, (_, from) => ({
        from,
        operation: new MixedOperation(NASBENCH201_OPERATIONS, (name) =>
          makeNasBench201Operation(name, channels, false),
        ),
      })),
    );
    this._ops = edges.flat().map(({ operation }) => operation);
    this.graph = new CellGraph(
      1,
      edges.map((own) => ({ edges: own })),
    );
  }

  /** All operations on all edges. */
  mix(input: Tensor, weights: LeavingWeights): Tensor {
    return runMixedCell(this.graph, [input], weights).at(-1) as Tensor;
  }

  /** One operation on each edge, by the places of the edges. */
  path(input: Tensor, chosen: readonly NasBench201Operation[]): Tensor {
    const graph = this.graph.map(({ from, operation }, place) => ({
      from,
      operation: operation.operation(chosen[place] as NasBench201Operation),
    }));
    return runCell(graph, [input], { oneByOne: true }).at(-1) as Tensor;
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
    // All cells have the same edges.
    const { graph } = this.cells[0] as SuperCell;
    const weights = this.#alphas.weightsOf(graph.placesLeaving);
    return this.#run(image, (cell, input) => cell.mix(input, weights));
  }

  /** One architecture with the shared weights. @throws InputError for anything that is no architecture of the space */
  forwardPath(image: Tensor, architecture: NasBench201Architecture): Tensor {
    const chosen = readCell(architecture.cell, this.#nodes).flat();
    return this.#run(image, (cell, input) => cell.path(input, chosen));
  }

  readonly skips = {
    count: ({ cell }: NasBench201Architecture) => ({ cell: countSkips(readCell(cell, this.#nodes).flat()) }),
    limitedIn: 'cell',
  };

  /**
   * The architecture with the strongest operation on every edge; 'none' is one of them in this space.
   *
   * @param rule with a limit on skip connections, the weakest give way to the next strongest operations of their edges
   */
  derive({ maxSkips = Number.POSITIVE_INFINITY }: DerivationRule = {}): NasBench201Architecture {
    const skip = NASBENCH201_OPERATIONS.indexOf('skip_connect');
    const best = withFewSkips(this.#alphas.weightNumbers(), skip, maxSkips, (left) => {
      const cell = left.map((weights) => weights.indexOf(Math.max(...weights)));
      return { cell, skips: [...cell.keys()].filter((edge) => cell[edge] === skip) };
    }).map((place) => NASBENCH201_OPERATIONS[place] as NasBench201Operation);
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
