import { fused, nn, stack, type Tensor } from '@espalier/torch';
import type { LanguageModelState, LanguageModelStep } from '../networks/language-model.js';
import { DartsCell, type DropHidden, highway } from '../networks/recurrent/darts-cell.js';
import {
  activate,
  DARTS_ACTIVATIONS,
  type DartsRecurrentGenotype,
} from '../networks/recurrent/darts-genotype.js';
import { RecurrentLanguageModel } from '../networks/recurrent/recurrent-language-model.js';
import type { VariationalDropout } from '../networks/recurrent/variational-dropout.js';
import type { TokenInput } from '../space/space.js';
import { Alphas, type Relaxation } from './alphas.js';
import { countSkips } from './skip-connections.js';
import { columnsWithout, strongestEdges } from './strongest-edges.js';
import type { CellChoice, LanguageSupernet } from './supernet.js';

/** The authors' `PRIMITIVES`. */
const OPERATIONS = ['none', ...DARTS_ACTIVATIONS] as const;

/** The place of a node's first edge: the nodes before it have 1, 2, ... edges. */
function firstEdge(node: number): number {
  return (node * (node + 1)) / 2;
}

/** The sum over all edges and activations of weight times highway: states [edges, N, H], weights [edges, activations]. */
function mixedHighway(states: Tensor, products: Tensor, weights: Tensor): Tensor {
  if (fused.runsKernels(states)) return fused.mixedHighway(states, products, weights);
  const [gate, value] = products.chunk(2, 2) as [Tensor, Tensor];
  const ofActivations = weights.unbind(1).map((ofEdges) => ofEdges.reshape([-1, 1, 1]));
  // The candidates of an edge share its gate, so the sum of p (s + c (f(h) - s)) over them is a highway too: from s times
  // the sum of all p to the sum of p f(h).
  const candidates = DARTS_ACTIVATIONS.map((activation, k) =>
    activate(activation, value).mul(ofActivations[k] as Tensor),
  ).reduce((sum, candidate) => sum.add(candidate));
  const ofAll = ofActivations.reduce((sum, weight) => sum.add(weight));
  return highway(states.mul(ofAll), candidates, gate).sum([0]);
}

/**
 * All cells at once (the authors' `DARTSCellSearch`): an edge from every earlier state to every node, where all edges into
 * a node go through the node's matrix. Batch norm after every state keeps the gradients from exploding (A.1.2). The states
 * of all nodes share its running statistics.
 */
class SuperCell extends DartsCell {
  readonly bn: nn.BatchNorm1d;
  readonly #nodes: number;
  readonly #alphas: Alphas;
  /** The architecture that runs at present, if it is a single one. */
  #single: DartsRecurrentGenotype | undefined;

  constructor(nodes: number, hidden: number, alphas: Alphas) {
    super(nodes, hidden, hidden);
    this.bn = new nn.BatchNorm1d(hidden, { affine: false });
    this.#nodes = nodes;
    this.#alphas = alphas;
  }

  /** Runs `body` as the cell of one architecture. */
  as<T>(genotype: DartsRecurrentGenotype, body: () => T): T {
    this.#single = genotype;
    try {
      return body();
    } finally {
      this.#single = undefined;
    }
  }

  protected beginNodes(dropHidden: DropHidden, inputs: Tensor) {
    return this.#single === undefined
      ? this.#mixture(dropHidden)
      : this.nodesOf(this.#single, dropHidden, inputs);
  }

  /** In training with the kernels, the mixture runs over the whole BPTT segment at once. */
  protected override run(inputs: Tensor, state: LanguageModelState, mask: Tensor | undefined) {
    if (this.#single !== undefined || !this.training || !fused.runsKernels(inputs))
      return super.run(inputs, state, mask);
    const [times, , width] = inputs.shape as [number, number, number];
    const read = fused.matmul(inputs, this._W0.narrow(0, 0, width));
    const outputs = fused.mixedRecurrence(read, state[0] as Tensor, {
      matrices: [this._W0.narrow(0, width, this.hidden), ...this._Ws.parameters()],
      weights: this.#weights(),
      mask,
      norm: this.bn,
    });
    return { outputs, state: [outputs.select(0, times - 1)] };
  }

  /** [edges, activations]. 'none' acts only by the weight that it takes from the others. */
  #weights(): Tensor {
    return this.#alphas.mixtureWeights().narrow(1, 1, DARTS_ACTIVATIONS.length);
  }

  #mixture(dropHidden: DropHidden) {
    const weights = this.#weights();
    const nodes = Array.from({ length: this.#nodes }, (_, node) =>
      weights.narrow(0, firstEdge(node), node + 1),
    );
    return (first: Tensor): Tensor => {
      const states = [this.bn.forward(first)];
      for (const [node, ofEdges] of nodes.entries()) {
        const earlier = stack(states);
        const products = fused.matmul(dropHidden(earlier), this._Ws[node] as nn.Parameter);
        states.push(this.bn.forward(mixedHighway(earlier, products, ofEdges)));
      }
      return stack(states.slice(1)).mean(0);
    };
  }
}

/**
 * The supernet of `darts-rnn`: the continuous relaxation of all recurrent cells (section 2.2) in the language model of
 * the search on Penn Treebank (section A.1.2). Modules and parameters have the names of the authors' `RNNModelSearch`.
 * As there, the architecture parameters are not among the network's `parameters()` or in its state.
 */
export class DartsRnnSupernet extends RecurrentLanguageModel implements LanguageSupernet {
  readonly #nodes: number;
  readonly #alphas: Alphas;
  readonly #cell: SuperCell;

  constructor(
    { vocabulary }: TokenInput,
    options: { readonly hidden: number; readonly nodes: number; readonly dropout: VariationalDropout },
  ) {
    const { hidden, nodes, dropout } = options;
    const alphas = new Alphas(firstEdge(nodes), OPERATIONS.length);
    const cell = new SuperCell(nodes, hidden, alphas);
    super([cell], { vocabulary, tied: true, dropout });
    this.#nodes = nodes;
    this.#alphas = alphas;
    this.#cell = cell;
  }

  /** [edges, operations], before the softmax over the operations: none, tanh, relu, sigmoid, identity. */
  architectureParameters(): { readonly recurrent: nn.Parameter } {
    return { recurrent: this.#alphas.values };
  }

  /**
   * One architecture with the shared weights: its language model without batch norm, as random search with weight sharing
   * runs it on Penn Treebank (Li & Talwalkar 2019, their code).
   */
  forwardPath(
    tokens: Tensor,
    state: LanguageModelState,
    genotype: DartsRecurrentGenotype,
  ): LanguageModelStep {
    return this.#cell.as(genotype, () => this.forward(tokens, state));
  }

  readonly skips = {
    count: ({ recurrent }: DartsRecurrentGenotype) => ({
      recurrent: countSkips(recurrent.map(([activation]) => activation)),
    }),
  };

  /**
   * The cell that the architecture parameters favour: for each node the edge whose strongest operation other than
   * 'none' is strongest, with that operation (section 2.4).
   */
  derive(): DartsRecurrentGenotype {
    const weights = this.#alphas.weightNumbers();
    const nodes = Array.from({ length: this.#nodes }, (_, node) => node);
    return {
      recurrent: nodes
        .flatMap((node) => strongestEdges(weights.slice(firstEdge(node), firstEdge(node + 1)), OPERATIONS, 1))
        .map(({ operation, state }) => [operation, state] as const),
      concat: nodes.map((node) => node + 1),
    };
  }

  /** Each node keeps one edge, never with 'none'. */
  choices(): { readonly recurrent: CellChoice } {
    const nodes = Array.from({ length: this.#nodes }, (_, node) => ({
      edges: Array.from({ length: node + 1 }, (_, state) => firstEdge(node) + state),
      keeps: 1,
    }));
    return { recurrent: { nodes, operations: columnsWithout(OPERATIONS, 'none') } };
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
}
