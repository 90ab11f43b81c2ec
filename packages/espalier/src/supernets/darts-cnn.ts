import { cat, nn, noGrad, scope, type Tensor } from '@espalier/torch';
import { CellGraph } from '../cells/cell-graph.js';
import { MixedOperation } from '../cells/mixed-operation.js';
import { PoolNorm } from '../cells/pool-norm.js';
import { Remembered } from '../cells/remembered.js';
import { type CellEdge, type CellRunOptions, runCell } from '../cells/run-cell.js';
import {
  type AroundMixtures,
  type LeavingWeights,
  type MixedEdge,
  runMixedCell,
} from '../cells/run-mixed-cell.js';
import { InputError } from '../input-error.js';
import { preprocessors } from '../networks/darts/cell.js';
import { type CellPlan, planCells } from '../networks/darts/cell-plan.js';
import {
  DARTS_OPERATIONS,
  type DartsEdge,
  type DartsGenotype,
  type DartsOperation,
} from '../networks/darts/genotype.js';
import { makeOperation } from '../networks/darts/operations.js';
import type { InputShape } from '../space/space.js';
import { Alphas, type Relaxation } from './alphas.js';
import { PartialChannels } from './partial-channels.js';
import { countSkips, withFewSkips } from './skip-connections.js';
import { columnsWithout, strongestEdges } from './strongest-edges.js';
import type { ArchitecturesOnOneInput, CellChoice, DerivationRule, Supernet } from './supernet.js';

/** All operations on one edge. Batch norm follows the pooling operations, as in the authors' code. */
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
  /** Every node has an edge from every state before it. */
  readonly graph: CellGraph<MixedEdge>;
  readonly #partial: PartialChannels | undefined;

  /** @param partial K: the operations see one in K channels of a state; the others bypass them */
  constructor(
    nodes: number,
    readonly plan: CellPlan,
    partial: number,
  ) {
    super();
    this.kind = plan.reduces ? 'reduction' : 'normal';
    [this.preprocess0, this.preprocess1] = preprocessors(plan, false);
    const halves = (from: number) => plan.reduces && from < 2;
    const edges = Array.from({ length: nodes }, (_, node) =>
      Array.from({ length: node + 2 }, (_, from) => ({
        from,
        operation: mixedOperation(plan.own / partial, halves(from) ? 2 : 1),
      })),
    );
    this._ops = edges.flat().map(({ operation }) => operation);
    this.graph = new CellGraph(
      2,
      edges.map((own) => ({ edges: own })),
    );
    if (partial > 1) this.#partial = new PartialChannels(plan.own, partial, halves);
  }

  /**
   * All operations on all edges.
   *
   * @param ofEdges a weight for each edge by its place, where edges have weights too
   */
  mix(beforeLast: Tensor, last: Tensor, weights: LeavingWeights, ofEdges?: readonly Tensor[]): Tensor {
    return cat(runMixedCell(this.graph, this.inputs(beforeLast, last), weights, this.#around(ofEdges)), 1);
  }

  /** The first two states, from the outputs of the two cells before. */
  inputs(beforeLast: Tensor, last: Tensor): readonly [Tensor, Tensor] {
    return [this.preprocess0.forward(beforeLast), this.preprocess1.forward(last)];
  }

  /** Partial channels, and the weights of edges. */
  #around(ofEdges: readonly Tensor[] | undefined): AroundMixtures | undefined {
    const partial = this.#partial;
    if (partial === undefined && ofEdges === undefined) return undefined;
    return {
      enter: (state, from) => {
        const { read, unite } = partial?.divide(state, from) ?? {
          read: state,
          unite: (value: Tensor) => value,
        };
        return {
          read,
          leave: (mixture, place) => {
            const weight = ofEdges?.[place];
            return weight === undefined ? unite(mixture) : unite(mixture).mul(weight);
          },
        };
      },
    };
  }

  /**
   * @param inputs the first two states
   * @param chosen the operations of the edges that the architecture has, by the edges' places
   */
  path(
    inputs: readonly [Tensor, Tensor],
    chosen: ReadonlyMap<number, DartsOperation>,
    options: CellRunOptions = {},
  ): Tensor {
    const graph = this.graph.map(({ from, operation }, place): CellEdge | undefined => {
      const name = chosen.get(place);
      if (name === undefined) return undefined;
      const alone = operation.operation(name);
      return { from, operation: this.#partial?.around(alone, from) ?? alone };
    });
    return cat(runCell(graph, inputs, { oneByOne: true, ...options }).slice(2), 1);
  }
}

/** The place of a node's first edge: the nodes before it have 2, 3, ... edges. */
function firstEdge(node: number): number {
  return (node * (node + 3)) / 2;
}

/**
 * The supernet of `darts-cnn`: the continuous relaxation of all pairs of cells (section 2.2), from [N, channels, height,
 * width] to the logits [N, classes]. Modules and parameters have the names of the authors' search network. As there, the
 * architecture parameters are neither among the network's `parameters()` nor in its state.
 *
 * With layout `cifar` it is the network of the search on CIFAR-10 (section A.1.1), with layout `imagenet` the one that
 * PC-DARTS searches with on ImageNet (`model_search_imagenet.py`): three convolutions with stride 2, the first cell
 * reading the image at a quarter of its size and at an eighth. Unlike the network that is trained afterwards, the stem
 * has 3C channels in both layouts.
 */
export class DartsSupernet extends nn.Layer implements Supernet {
  /** Layout `cifar`. */
  readonly stem?: nn.Sequential;
  /** Layout `imagenet`. */
  readonly stem0?: nn.Sequential;
  readonly stem1?: nn.Sequential;
  readonly cells: readonly SuperCell[];
  readonly classifier: nn.Linear;
  readonly #normal: Alphas;
  readonly #reduce: Alphas;
  readonly #nodes: number;
  /** With partial channels: the parameters of the edges, [1, edges]. The softmax is over the edges into a node. */
  readonly #edges: { readonly normal: Alphas; readonly reduce: Alphas } | undefined;

  /**
   * @param options channels of a node in the first cells, number of cells, nodes of a cell, layout of the stem, and K of
   * partial channels (1: none): the operations see one in K channels, and edges have weights of their own (PC-DARTS, Xu
   * et al. 2020, sections 3.2 and 3.3)
   * @throws InputError where K does not divide the channels
   */
  constructor(
    shape: InputShape,
    options: {
      readonly channels: number;
      readonly layers: number;
      readonly nodes: number;
      readonly layout?: 'cifar' | 'imagenet';
      readonly partialChannels?: number;
    },
  ) {
    super();
    const { channels, layers, nodes, layout = 'cifar', partialChannels = 1 } = options;
    if (channels % partialChannels !== 0)
      throw new InputError(`partialChannels ${partialChannels}: must divide the ${channels} channels`);
    const stem = { channels: 3 * channels, reduced: layout === 'imagenet' };
    if (layout === 'cifar') this.stem = new nn.Sequential(...convolution(shape.channels, stem.channels, 1));
    else {
      const half = Math.floor(stem.channels / 2);
      this.stem0 = new nn.Sequential(
        ...convolution(shape.channels, half, 2),
        new nn.ReLU(),
        ...convolution(half, stem.channels, 2),
      );
      this.stem1 = new nn.Sequential(new nn.ReLU(), ...convolution(stem.channels, stem.channels, 2));
    }
    const plans = planCells(layers, channels, stem, { normal: nodes, reduce: nodes });
    this.cells = plans.map((plan) => new SuperCell(nodes, plan, partialChannels));
    this.classifier = new nn.Linear(nodes * (plans.at(-1) as CellPlan).own, shape.classes);
    this.#normal = new Alphas(firstEdge(nodes), DARTS_OPERATIONS.length);
    this.#reduce = new Alphas(firstEdge(nodes), DARTS_OPERATIONS.length);
    this.#nodes = nodes;
    if (partialChannels > 1) {
      this.#edges = { normal: new Alphas(1, firstEdge(nodes)), reduce: new Alphas(1, firstEdge(nodes)) };
    }
  }

  /**
   * Those of the normal and of the reduction cells: [edges, operations] each, before the softmax over the operations.
   * With partial channels also those of the edges, [1, edges] each, before the softmax over the edges into a node.
   */
  architectureParameters(): {
    readonly normal: nn.Parameter;
    readonly reduce: nn.Parameter;
    readonly normalEdges?: nn.Parameter;
    readonly reduceEdges?: nn.Parameter;
  } {
    const own = { normal: this.#normal.values, reduce: this.#reduce.values };
    return this.#edges === undefined
      ? own
      : { ...own, normalEdges: this.#edges.normal.values, reduceEdges: this.#edges.reduce.values };
  }

  /** The weights of the edges of a kind of cell, by the edges' places; undefined without partial channels. */
  #edgeWeights(kind: 'normal' | 'reduce'): Tensor[] | undefined {
    const edges = this.#edges?.[kind].values.select(0, 0);
    if (edges === undefined) return undefined;
    return Array.from({ length: this.#nodes }, (_, node) =>
      edges
        .narrow(0, firstEdge(node), node + 2)
        .softmax(0)
        .unbind(0),
    ).flat();
  }

  /** The weights of the operations as numbers, times the weights of their edges where edges have any. */
  #weightNumbers(kind: 'normal' | 'reduce'): number[][] {
    const alphas = kind === 'normal' ? this.#normal : this.#reduce;
    const ofEdges = scope(() => noGrad(() => this.#edgeWeights(kind)?.map((weight) => weight.item())));
    return alphas
      .weightNumbers()
      .map((ofOperations, edge) => ofOperations.map((weight) => weight * (ofEdges?.[edge] ?? 1)));
  }

  /** All operations at once, mixed by the softmax of the architecture parameters. */
  forward(image: Tensor): Tensor {
    // All cells have the same edges.
    const { placesLeaving } = (this.cells[0] as SuperCell).graph;
    const [normal, reduce] = [
      this.#normal.weightsOf(placesLeaving),
      this.#reduce.weightsOf(placesLeaving),
    ] as const;
    const [normalEdges, reduceEdges] = [this.#edgeWeights('normal'), this.#edgeWeights('reduce')];
    return this.#run(image, (cell, beforeLast, last) =>
      cell.plan.reduces
        ? cell.mix(beforeLast, last, reduce, reduceEdges)
        : cell.mix(beforeLast, last, normal, normalEdges),
    );
  }

  /**
   * One architecture with the shared weights: only its two edges into each node, unweighted, as random search with
   * weight sharing runs them (Li & Talwalkar 2019).
   */
  forwardPath(image: Tensor, genotype: DartsGenotype): Tensor {
    const [normal, reduce] = [chosenOperations(genotype.normal), chosenOperations(genotype.reduce)];
    return this.#run(image, (cell, beforeLast, last) =>
      cell.path(cell.inputs(beforeLast, last), cell.plan.reduces ? reduce : normal),
    );
  }

  /**
   * Many architectures on the same images, in evaluation. What does not depend on the architecture is computed once, and
   * so is each operation on what the stem gives.
   */
  pathsOn(image: Tensor): ArchitecturesOnOneInput<DartsGenotype> {
    const memory = new Remembered();
    return {
      run: (genotype) => {
        const [normal, reduce] = [chosenOperations(genotype.normal), chosenOperations(genotype.reduce)];
        const [first, second] = this.#stemMaps(image, (layer, compute) => memory.tensor(layer, compute));
        let [beforeLast, last] = [first, second];
        for (const [index, cell] of this.cells.entries()) {
          // The first cell reads two maps of the stem, the second one.
          const isStem = [index < 2, index < 1] as const;
          const read = (layer: nn.Layer, map: Tensor, remembers: boolean) =>
            remembers ? memory.tensor(layer, () => layer.forward(map)) : layer.forward(map);
          const inputs = [
            read(cell.preprocess0, beforeLast, isStem[0]),
            read(cell.preprocess1, last, isStem[1]),
          ] as const;
          const value = cell.path(inputs, cell.plan.reduces ? reduce : normal, {
            remembers: { memory, inputs: isStem },
          });
          [beforeLast, last] = [last, value];
        }
        return this.#classify(last);
      },
      free: () => memory.free(),
    };
  }

  readonly skips = {
    count: ({ normal, reduce }: DartsGenotype) => ({ normal: skipsOf(normal), reduce: skipsOf(reduce) }),
    limitedIn: 'normal',
  };

  /**
   * The pair of cells that the architecture parameters favour: for each node the two edges whose strongest operation
   * other than 'none' is strongest, each with that operation (section 2.4). The stronger edge comes first, as in the
   * authors' code.
   *
   * @param rule with a limit on skip connections, the weakest skip connections of the normal cell give way, one after the
   * other, to the next strongest operations or edges (P-DARTS, Chen et al. 2019, section 3.3)
   */
  derive({ maxSkips = Number.POSITIVE_INFINITY }: DerivationRule = {}): DartsGenotype {
    const concat = Array.from({ length: this.#nodes }, (_, node) => node + 2);
    return {
      normal: deriveWithFewSkips(this.#weightNumbers('normal'), this.#nodes, maxSkips),
      normal_concat: concat,
      reduce: deriveEdges(this.#weightNumbers('reduce'), this.#nodes),
      reduce_concat: concat,
    };
  }

  /** Each node keeps two edges, never with 'none'. */
  choices(): { readonly normal: CellChoice; readonly reduce: CellChoice } {
    const nodes = Array.from({ length: this.#nodes }, (_, node) => ({
      edges: Array.from({ length: node + 2 }, (_, state) => firstEdge(node) + state),
      keeps: 2,
    }));
    const choice = { nodes, operations: columnsWithout(DARTS_OPERATIONS, 'none') };
    return { normal: choice, reduce: choice };
  }

  #allAlphas(): readonly Alphas[] {
    const edges = this.#edges === undefined ? [] : [this.#edges.normal, this.#edges.reduce];
    return [this.#normal, this.#reduce, ...edges];
  }

  relax(relaxation: Relaxation): void {
    this.#normal.relaxation = relaxation;
    this.#reduce.relaxation = relaxation;
  }

  override to(target: Parameters<nn.Module['to']>[0]): this {
    for (const alphas of this.#allAlphas()) alphas.to(target);
    return super.to(target);
  }

  override free(): void {
    for (const alphas of this.#allAlphas()) alphas.free();
    super.free();
  }

  #run(image: Tensor, run: (cell: SuperCell, beforeLast: Tensor, last: Tensor) => Tensor): Tensor {
    let [beforeLast, last] = this.#stemMaps(image);
    for (const cell of this.cells) [beforeLast, last] = [last, run(cell, beforeLast, last)];
    return this.#classify(last);
  }

  /** What the first cell reads: twice the same map with layout `cifar`. */
  #stemMaps(
    image: Tensor,
    remember: (layer: nn.Layer, compute: () => Tensor) => Tensor = (_, compute) => compute(),
  ): [beforeLast: Tensor, last: Tensor] {
    const { stem0, stem1 } = this;
    const stem = (this.stem ?? stem0) as nn.Sequential;
    const first = remember(stem, () => stem.forward(image));
    return [first, stem1 === undefined ? first : remember(stem1, () => stem1.forward(first))];
  }

  #classify(features: Tensor): Tensor {
    return this.classifier.forward(features.adaptiveAvgPool2d(1).flatten(1));
  }
}

/** A 3x3 convolution and batch norm. */
function convolution(inputs: number, outputs: number, stride: number): nn.Layer[] {
  return [
    new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false }),
    new nn.BatchNorm2d(outputs),
  ];
}

/** The operations of one cell of a genotype, by the places of their edges. */
function chosenOperations(edges: readonly DartsEdge[]): ReadonlyMap<number, DartsOperation> {
  return new Map(
    edges.map(([operation, state], place) => [firstEdge(Math.floor(place / 2)) + state, operation]),
  );
}

function skipsOf(edges: readonly DartsEdge[]): number {
  return countSkips(edges.map(([operation]) => operation));
}

/** The rule of section 2.4, applied to the weights of the edges of a cell. */
function deriveEdges(weights: readonly (readonly number[])[], nodes: number): DartsEdge[] {
  return Array.from({ length: nodes }, (_, node) =>
    strongestEdges(weights.slice(firstEdge(node), firstEdge(node + 1)), DARTS_OPERATIONS, 2),
  )
    .flat()
    .map(({ operation, state }): DartsEdge => [operation, state]);
}

/** The same with at most `maxSkips` skip connections. */
function deriveWithFewSkips(
  weights: readonly (readonly number[])[],
  nodes: number,
  maxSkips: number,
): DartsEdge[] {
  return withFewSkips(weights, DARTS_OPERATIONS.indexOf('skip_connect'), maxSkips, (left) => {
    const cell = deriveEdges(left, nodes);
    const skips = cell.flatMap(([operation, state], place) =>
      operation === 'skip_connect' ? [firstEdge(Math.floor(place / 2)) + state] : [],
    );
    return { cell, skips };
  });
}
