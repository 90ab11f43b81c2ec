/**
 * Operations of one's own in a cell that shares weights: squeeze and excitation beside a convolution and the identity. With
 * its supernet the space can be searched by every strategy with shared weights:
 *
 *     espalier search --space examples/own-operations.ts --strategy darts --data mnist --limit 1000 --epochs 2
 */
import {
  Alphas,
  choose,
  defineSpace,
  type InputShape,
  MixedOperation,
  nn,
  type Program,
  type Relaxation,
  type SharesWeights,
  type Tensor,
} from 'espalier';

/** Scales each channel by a gate that is computed from the means of all channels (Hu et al. 2018). */
class SqueezeExcite extends nn.Layer {
  readonly squeeze: nn.Linear;
  readonly excite: nn.Linear;

  constructor(channels: number) {
    super();
    this.squeeze = new nn.Linear(channels, Math.ceil(channels / 4));
    this.excite = new nn.Linear(Math.ceil(channels / 4), channels);
  }

  forward(input: Tensor): Tensor {
    const means = input.adaptiveAvgPool2d(1).flatten(1);
    const gates = this.excite.forward(this.squeeze.forward(means).relu()).sigmoid();
    return input.mul(gates.unsqueeze(2).unsqueeze(3));
  }
}

const OPERATIONS = ['none', 'identity', 'conv_3x3', 'squeeze_excite'] as const;
type Operation = (typeof OPERATIONS)[number];

class Zero extends nn.Layer {
  forward(input: Tensor): Tensor {
    return input.mul(0);
  }
}

function makeOperation(name: Operation, channels: number): nn.Layer {
  switch (name) {
    case 'none':
      return new Zero();
    case 'identity':
      return new nn.Identity();
    case 'conv_3x3':
      return new nn.Sequential(
        new nn.Conv2d(channels, channels, 3, { padding: 1, bias: false }),
        new nn.BatchNorm2d(channels),
        new nn.ReLU(),
      );
    case 'squeeze_excite':
      return new SqueezeExcite(channels);
  }
}

/** Stem and head, which the networks and the supernet have in common. */
abstract class Frame extends nn.Layer {
  readonly stem: nn.Layer;
  readonly classifier: nn.Linear;

  constructor({ channels, classes }: InputShape, width: number) {
    super();
    this.stem = new nn.Sequential(
      new nn.Conv2d(channels, width, 3, { padding: 1, stride: 2, bias: false }),
      new nn.BatchNorm2d(width),
    );
    this.classifier = new nn.Linear(width, classes);
  }

  protected classify(features: Tensor): Tensor {
    return this.classifier.forward(features.adaptiveAvgPool2d(1).flatten(1));
  }
}

const WIDTH = 16;
const EDGES = 3;

/** The edges of the cell follow one another, each added to what it reads. */
class ChainNetwork extends Frame {
  readonly edges: readonly nn.Layer[];

  constructor(edges: readonly Operation[], input: InputShape) {
    super(input, WIDTH);
    this.edges = edges.map((name) => makeOperation(name, WIDTH));
  }

  forward(images: Tensor): Tensor {
    const stem = this.stem.forward(images);
    return this.classify(this.edges.reduce((state, edge) => state.add(edge.forward(state)), stem));
  }
}

/** All operations on every edge, mixed by the softmax of the architecture parameters. */
class ChainSupernet extends Frame implements SharesWeights {
  readonly edges: readonly MixedOperation<Operation>[];
  readonly #alphas = new Alphas(EDGES, OPERATIONS.length);

  constructor(input: InputShape) {
    super(input, WIDTH);
    this.edges = Array.from(
      { length: EDGES },
      () => new MixedOperation(OPERATIONS, (name) => makeOperation(name, WIDTH)),
    );
  }

  architectureParameters() {
    return { edges: this.#alphas.values };
  }

  forward(images: Tensor): Tensor {
    const weights = this.#alphas.weights();
    return this.#run(images, (edge, state, i) => edge.mixture(state, weights[i]!));
  }

  forwardPath(images: Tensor, { edges }: { edges: readonly Operation[] }): Tensor {
    return this.#run(images, (edge, state, i) => edge.single(state, edges[i]!));
  }

  relax(relaxation: Relaxation): void {
    this.#alphas.relaxation = relaxation;
  }

  /** The strongest operation of each edge; 'none' is never kept. */
  derive() {
    const edges = this.#alphas.weightNumbers().map((row) => {
      const best = row.indexOf(Math.max(...row.slice(1)), 1);
      return OPERATIONS[best]!;
    });
    return { edges };
  }

  #run(images: Tensor, take: (edge: MixedOperation<Operation>, state: Tensor, i: number) => Tensor): Tensor {
    const stem = this.stem.forward(images);
    return this.classify(this.edges.reduce((state, edge, i) => state.add(take(edge, state, i)), stem));
  }
}

export default defineSpace({
  name: 'own-operations',
  *choices(): Program<{ edges: Operation[] }> {
    const edges: Operation[] = [];
    for (let edge = 0; edge < EDGES; edge++) {
      const operation = yield* choose(`edges.${edge}`, OPERATIONS);
      edges.push(operation);
    }
    return { edges };
  },
  network: ({ edges }: { edges: Operation[] }, input) => new ChainNetwork(edges, input),
  supernet: (input) => new ChainSupernet(input),
});
