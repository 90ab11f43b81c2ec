/**
 * A cell of one's own, declared by its nodes and edges: each node is the sum of its edges' operations on all states before
 * it. How that is computed is the library's concern: on a CPU the convolutions that read one state run together.
 *
 *     espalier search --space examples/own-cell.ts --strategy darts --data mnist --limit 1000 --epochs 2
 */
import {
  Alphas,
  CellGraph,
  choose,
  defineSpace,
  type InputShape,
  type MixedEdge,
  MixedOperation,
  nn,
  type Program,
  type Relaxation,
  runCell,
  runMixedCell,
  type SharesWeights,
  type Tensor,
} from 'espalier';

const OPERATIONS = ['identity', 'sep_conv_3x3', 'sep_conv_5x5'] as const;
type Operation = (typeof OPERATIONS)[number];

/** ReLU, a depthwise and a pointwise convolution, and batch norm. */
function separable(channels: number, size: number): nn.Layer {
  return new nn.Sequential(
    new nn.ReLU(),
    new nn.Conv2d(channels, channels, size, { padding: (size - 1) / 2, groups: channels, bias: false }),
    new nn.Conv2d(channels, channels, 1, { bias: false }),
    new nn.BatchNorm2d(channels),
  );
}

function makeOperation(name: Operation, channels: number): nn.Layer {
  if (name === 'identity') return new nn.Identity();
  return separable(channels, name === 'sep_conv_3x3' ? 3 : 5);
}

/** The places of the edges into a node, one from each state before it. Node 0 reads the input of the cell only. */
const EDGES = [[0], [1, 2], [3, 4, 5]] as const;

/** The cell with something on each edge. */
function cellOf<Edge>(onEdge: (place: number) => Edge) {
  return new CellGraph(
    1,
    EDGES.map((places) => ({ edges: places.map((place, from) => ({ from, operation: onEdge(place) })) })),
  );
}

const WIDTH = 16;

/** Stem and head, which the networks and the supernet have in common. */
abstract class Frame extends nn.Layer {
  readonly stem: nn.Layer;
  readonly classifier: nn.Linear;

  constructor({ channels, classes }: InputShape) {
    super();
    this.stem = new nn.Sequential(
      new nn.Conv2d(channels, WIDTH, 3, { padding: 1, stride: 2, bias: false }),
      new nn.BatchNorm2d(WIDTH),
    );
    this.classifier = new nn.Linear(WIDTH, classes);
  }

  /** The logits of images, through a cell that gives its nodes. */
  protected through(images: Tensor, cell: (input: Tensor) => readonly Tensor[]): Tensor {
    const last = cell(this.stem.forward(images)).at(-1)!;
    return this.classifier.forward(last.adaptiveAvgPool2d(1).flatten(1));
  }
}

class CellNetwork extends Frame {
  readonly edges: readonly nn.Layer[];

  constructor(edges: readonly Operation[], input: InputShape) {
    super(input);
    this.edges = edges.map((name) => makeOperation(name, WIDTH));
  }

  forward(images: Tensor): Tensor {
    const cell = cellOf((place) => this.edges[place]!);
    return this.through(images, (input) => runCell(cell, [input]));
  }
}

/** All operations on every edge, mixed by the softmax of the architecture parameters. */
class CellSupernet extends Frame implements SharesWeights {
  readonly edges: readonly MixedOperation<Operation>[];
  readonly #cell: CellGraph<MixedEdge>;
  readonly #alphas = new Alphas(EDGES.flat().length, OPERATIONS.length);

  constructor(input: InputShape) {
    super(input);
    this.edges = EDGES.flat().map(() => new MixedOperation(OPERATIONS, (name) => makeOperation(name, WIDTH)));
    this.#cell = cellOf((place) => this.edges[place]!);
  }

  architectureParameters() {
    return { edges: this.#alphas.values };
  }

  forward(images: Tensor): Tensor {
    const weights = this.#alphas.weightsOf(this.#cell.placesLeaving);
    return this.through(images, (input) => runMixedCell(this.#cell, [input], weights));
  }

  forwardPath(images: Tensor, { edges }: { edges: readonly Operation[] }): Tensor {
    const cell = cellOf((place) => this.edges[place]!.operation(edges[place]!));
    return this.through(images, (input) => runCell(cell, [input]));
  }

  relax(relaxation: Relaxation): void {
    this.#alphas.relaxation = relaxation;
  }

  /** The strongest operation of each edge. */
  derive() {
    return {
      edges: this.#alphas.weightNumbers().map((row) => OPERATIONS[row.indexOf(Math.max(...row))]!),
    };
  }
}

export default defineSpace({
  name: 'own-cell',
  *choices(): Program<{ edges: Operation[] }> {
    const edges: Operation[] = [];
    for (const place of EDGES.flat()) {
      const operation = yield* choose(`edges.${place}`, OPERATIONS);
      edges.push(operation);
    }
    return { edges };
  },
  network: ({ edges }: { edges: Operation[] }, input) => new CellNetwork(edges, input),
  supernet: (input) => new CellSupernet(input),
});
