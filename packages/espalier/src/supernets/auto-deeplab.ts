import { nn, recomputed, scope, type Tensor } from '@espalier/torch';
import type { LeavingWeights } from '../cells/run-mixed-cell.js';
import {
  type AutoDeepLab,
  type Block,
  cellsOf,
  type UntiedAutoDeepLab,
} from '../networks/auto-deeplab/architecture.js';
import { mostProbablePath } from '../networks/auto-deeplab/most-probable-path.js';
import { OPERATIONS, type OperationName } from '../networks/auto-deeplab/operations.js';
import { resize, type Size, sizeOf } from '../networks/auto-deeplab/resize.js';
import { type ImagePooling, SpatialPyramid } from '../networks/auto-deeplab/spatial-pyramid.js';
import { STEM_CHANNELS, Stem } from '../networks/auto-deeplab/stem.js';
import type { InputShape } from '../space/space.js';
import { Alphas, type Relaxation } from './alphas.js';
import { edgesFrom, firstEdge, SuperCell } from './auto-deeplab-cell.js';
import { Betas, type Border } from './betas.js';
import { columnsWithout, strongestEdges } from './strongest-edges.js';
import type { CellChoice, Supernet } from './supernet.js';

/** Strides 4, 8, 16 and 32. */
const LEVELS = 4;

/** What the paper leaves open about the supernet, with our choice as default. See the options of the space. */
export interface AutoDeepLabChoices {
  readonly border?: Border;
  readonly noneWins?: boolean;
  readonly secondInput?: 'same-level' | 'nearest';
  readonly imagePooling?: ImagePooling;
  readonly recompute?: boolean;
}

/** The nodes of a layer, from stride 4 on. */
class TrellisLayer extends nn.Module {
  constructor(readonly cells: readonly SuperCell[]) {
    super();
  }
}

/**
 * Turns the map of one stride into logits: atrous spatial pyramid pooling with three branches, each with as many channels
 * as the map (section 5.1), and the classifier.
 */
class Head extends nn.Layer {
  readonly pyramid: SpatialPyramid;
  readonly classifier: nn.Conv2d;

  constructor(channels: number, stride: number, classes: number, imagePooling: ImagePooling) {
    super();
    this.pyramid = new SpatialPyramid(channels, stride, { channels, atrous: 1, imagePooling });
    this.classifier = new nn.Conv2d(channels, classes, 1);
  }

  forward(map: Tensor): Tensor {
    return this.classifier.forward(this.pyramid.forward(map.relu()));
  }
}

/** Maps, sizes and weights of a forward pass, as far as it has come. */
interface Progress {
  /** The maps of the last layer and of the one before it, by level. */
  readonly last: readonly Tensor[];
  readonly beforeLast: readonly Tensor[];
  /** The sizes of the maps of all levels. */
  readonly sizes: readonly Size[];
  /** For each state, the weights of the edges that leave it. */
  readonly alphas: LeavingWeights;
  readonly beta: (layer: number, from: number, to: number) => Tensor;
}

/**
 * The supernet of `auto-deeplab` (Liu et al. 2019, section 4.1): a cell with all operations at every node of the trellis,
 * where all cells share alpha, and all paths at once, weighted by beta. A node at level l has `blocks` x
 * `filterMultiplier` x 2^l channels (section 5.1). Stem, operations and resizing are those of the networks that are built.
 * All nodes that can be reached from the stem are computed, and no others; each of them reaches an end.
 *
 * Not in the paper: in the first layers, where the trellis has no map of a cell's level two layers before, the cell does
 * without it, or with `secondInput` 'nearest' reads the one of the nearest level. At stride 4 the two maps of the stem take
 * the place of the layers before the first, so that a path that stays there is the network that is built, except for the
 * head.
 *
 * The architecture parameters are neither among `parameters()` nor in the state.
 */
export class AutoDeepLabSupernet extends nn.Layer implements Supernet {
  readonly stem: Stem;
  readonly layers: readonly TrellisLayer[];
  readonly heads: readonly Head[];
  readonly #alphas: Alphas;
  readonly #betas: Betas;
  readonly #blocks: number;
  readonly #cellPerLayer: boolean;
  readonly #noneWins: boolean;
  readonly #recompute: boolean;

  constructor(
    shape: InputShape,
    options: {
      readonly layers: number;
      readonly blocks: number;
      readonly filterMultiplier: number;
      readonly stemChannels?: number;
      readonly firstLayerMayHalve: boolean;
      readonly cellPerLayer?: boolean;
    },
    choices: AutoDeepLabChoices = {},
  ) {
    super();
    const { layers, blocks, filterMultiplier, firstLayerMayHalve, cellPerLayer = false } = options;
    const { stemChannels = STEM_CHANNELS } = options;
    const { secondInput = 'same-level', imagePooling = 'norm' } = choices;
    this.stem = new Stem(shape.channels, stemChannels);
    /** The channels of the maps of each layer, by level; the two maps of the stem come first. */
    const channels: number[][] = [[stemChannels], [2 * stemChannels]];
    this.layers = Array.from({ length: layers }, (_, layer) => {
      const [before, previous] = channels.slice(-2) as [number[], number[]];
      const levels = Math.min(layer + (firstLayerMayHalve ? 2 : 1), LEVELS);
      const filters = Array.from({ length: levels }, (_, level) => filterMultiplier * 2 ** level);
      channels.push(filters.map((own) => own * blocks));
      return new TrellisLayer(
        filters.map((own, level) => {
          const transitions = previous.flatMap((inputs, from) =>
            Math.abs(from - level) <= 1 ? [{ from, channels: inputs, halves: from < level }] : [],
          );
          const nearest = secondInput === 'nearest' ? Math.min(level, before.length - 1) : level;
          const source = before[nearest];
          return new SuperCell(
            blocks,
            own,
            transitions,
            source === undefined ? undefined : { level: nearest, channels: source },
          );
        }),
      );
    });
    this.heads = (channels.at(-1) as number[]).map(
      (own, level) => new Head(own, 4 * 2 ** level, shape.classes, imagePooling),
    );
    this.#alphas = new Alphas(firstEdge(blocks) * (cellPerLayer ? layers : 1), OPERATIONS.length);
    this.#betas = new Betas(layers, LEVELS, firstLayerMayHalve, choices.border);
    this.#blocks = blocks;
    this.#cellPerLayer = cellPerLayer;
    this.#noneWins = choices.noneWins ?? false;
    this.#recompute = choices.recompute ?? false;
  }

  /**
   * Before the softmax. Those of the cell are [edges, operations]; where each layer has its own, layer after layer. Those of
   * the trellis are [layers, 4 levels of the layer before, 3], to the level above, the same, or below; those from or to a
   * level that does not exist are never read.
   */
  architectureParameters(): { readonly cell: nn.Parameter; readonly trellis: nn.Parameter } {
    return { cell: this.#alphas.values, trellis: this.#betas.values };
  }

  /**
   * All paths and all operations at once: [N, channels, H, W] to the logits [N, classes, H, W], summed over the maps of the
   * last layer. In training N is 2 or more where image pooling has batch norm.
   */
  forward(image: Tensor): Tensor {
    // No block reads the last one.
    const states = Array.from({ length: this.#blocks + 1 }, (_, state) => state);
    const layers = this.#cellPerLayer ? this.layers : this.layers.slice(0, 1);
    const groups = layers.flatMap((_, layer) =>
      states.map((state) =>
        edgesFrom(state, this.#blocks).map((edge) => layer * firstEdge(this.#blocks) + edge),
      ),
    );
    const alphas = this.#alphas.weightsOf(groups);
    const alphasOf = (layer: number) =>
      this.#cellPerLayer ? alphas.slice(layer * states.length, (layer + 1) * states.length) : alphas;
    const beta = this.#betas.weights();
    const { half, quarter } = this.stem.forward(image);
    const sizes = sizesBelow(quarter);
    let [beforeLast, last] = [[half], [quarter]];
    for (const [layer, { cells }] of this.layers.entries()) {
      const progress = { last, beforeLast, sizes, alphas: alphasOf(layer), beta };
      const next = cells.map((_, level) => this.#node(layer, level, progress));
      [beforeLast, last] = [last, next];
    }
    return last.map((map, level) => this.#logits(map, level, image)).reduce((sum, logits) => sum.add(logits));
  }

  /** The map of a node of the trellis: equation 6. */
  #node(layer: number, level: number, { last, beforeLast, sizes, alphas, beta }: Progress): Tensor {
    const cell = this.layers[layer]?.cells[level] as SuperCell;
    const maps = cell.transitions.map(({ from }) => last[from] as Tensor);
    const betas = cell.transitions.map(({ from }) => beta(layer, from, level));
    const before = cell.beforeLevel === undefined ? undefined : beforeLast[cell.beforeLevel];
    const mix = (given: readonly Tensor[]): Tensor[] => {
      const read = given.values();
      const take = <T>(like: readonly T[]) => like.map(() => read.next().value as Tensor);
      const [previous, ofTransitions, ofEdges] = [take(maps), take(betas), take(alphas)];
      const leaving = alphas.map((weights, place) => ({ ...weights, values: ofEdges[place] as Tensor }));
      const scaled = previous.map((map, place) =>
        upsampled(map, cell.transitions[place]?.from as number, level, sizes),
      );
      const mixtures = cell.mixtures(scaled, read.next().value, leaving);
      return [
        mixtures
          .map((value, place) => value.mul(ofTransitions[place] as Tensor))
          .reduce((sum, value) => sum.add(value)),
      ];
    };
    const inputs = [
      ...maps,
      ...betas,
      ...alphas.map(({ values }) => values),
      ...(before === undefined ? [] : [before]),
    ];
    // A scope frees at once what only the sums of the cell need.
    const [value] = this.#recompute
      ? recomputed(inputs, mix, { buffers: [...cell.namedBuffers()].map(([, buffer]) => buffer) })
      : scope(() => mix(inputs));
    return value as Tensor;
  }

  /** One architecture with the shared weights: only the cells on its path and only its operations, unweighted. */
  forwardPath(image: Tensor, architecture: AutoDeepLab | UntiedAutoDeepLab): Tensor {
    const own = cellsOf(architecture);
    const { half, quarter } = this.stem.forward(image);
    const sizes = sizesBelow(quarter);
    let beforeLast = { level: 0, map: half };
    let last = { level: 0, map: quarter };
    for (const [layer, level] of architecture.path.entries()) {
      const node = this.layers[layer]?.cells[level] as SuperCell;
      const previous = upsampled(last.map, last.level, level, sizes);
      const before = beforeLast.level === node.beforeLevel ? beforeLast.map : undefined;
      const map = node.single(previous, last.level, before, own[layer] as readonly Block[]);
      [beforeLast, last] = [last, { level, map }];
    }
    return this.#logits(last.map, last.level, image);
  }

  /**
   * What the architecture parameters favour (section 4.3): for each block the two inputs whose strongest operation other
   * than 'none' is strongest, the stronger first, each with that operation, or with `noneWins` with the strongest of all;
   * and the path with the largest product of betas. Of equals the first operation, the first input, and the path of lower
   * levels is taken (see `mostProbablePath`).
   */
  derive(): AutoDeepLab | UntiedAutoDeepLab {
    const weights = this.#alphas.weightNumbers();
    const edges = firstEdge(this.#blocks);
    const derived = Array.from({ length: weights.length / edges }, (_, layer) =>
      this.#derivedCell(weights.slice(layer * edges, (layer + 1) * edges)),
    );
    // All paths start at the stem, which is no layer.
    const path = mostProbablePath(this.#betas.weightNumbers(), 0).slice(1);
    return this.#cellPerLayer ? { path, cells: derived } : { path, cell: derived[0] as Block[] };
  }

  #derivedCell(weights: readonly (readonly number[])[]): Block[] {
    return Array.from({ length: this.#blocks }, (_, block): Block => {
      const edges = weights.slice(firstEdge(block), firstEdge(block + 1));
      const [first, second] = strongestEdges(edges, OPERATIONS, 2);
      if (first === undefined || second === undefined) throw new Error('a block has two inputs or more');
      const operationOn = ({ state, operation }: typeof first): OperationName => {
        const own = edges[state] as readonly number[];
        return this.#noneWins ? (OPERATIONS[own.indexOf(Math.max(...own))] as OperationName) : operation;
      };
      return [first.state, second.state, operationOn(first), operationOn(second)];
    });
  }

  /** The transitions of the trellis; those from a level that no path reaches are zeros. */
  ownWeights(): { readonly trellis: number[][] } {
    const rows = this.#betas.rows();
    const levels = [1, ...this.layers.map(({ cells }) => cells.length)];
    return {
      trellis: rows.map((row, place) => {
        const reached = levels[Math.floor(place / LEVELS)] as number;
        return place % LEVELS < reached ? row : row.map(() => 0);
      }),
    };
  }

  /** Each block keeps two inputs, never with 'none'. The paths of the trellis are not among the choices. */
  choices(): { readonly cell: CellChoice } {
    const cells = this.#cellPerLayer ? this.layers.length : 1;
    const nodes = Array.from({ length: cells * this.#blocks }, (_, place) => {
      const [cell, block] = [Math.floor(place / this.#blocks), place % this.#blocks];
      const first = cell * firstEdge(this.#blocks) + firstEdge(block);
      return { edges: Array.from({ length: block + 2 }, (_, state) => first + state), keeps: 2 };
    });
    return { cell: { nodes, operations: columnsWithout(OPERATIONS, 'none') } };
  }

  relax(relaxation: Relaxation): void {
    this.#alphas.relaxation = relaxation;
  }

  override to(target: Parameters<nn.Module['to']>[0]): this {
    this.#alphas.to(target);
    this.#betas.to(target);
    return super.to(target);
  }

  override free(): void {
    this.#alphas.free();
    this.#betas.free();
    super.free();
  }

  #logits(map: Tensor, level: number, image: Tensor): Tensor {
    return resize((this.heads[level] as Head).forward(map), sizeOf(image));
  }
}

/** The sizes of the maps of all levels, from the map of stride 4. */
function sizesBelow(quarter: Tensor): Size[] {
  const [height, width] = sizeOf(quarter);
  return Array.from({ length: LEVELS }, (_, level) => [
    Math.ceil(height / 2 ** level),
    Math.ceil(width / 2 ** level),
  ]);
}

/** A map from the level below, in the size of the level that reads it; other maps as they are. */
function upsampled(map: Tensor, from: number, to: number, sizes: readonly Size[]): Tensor {
  return from > to ? resize(map, sizes[to] as Size) : map;
}
