import { nn, scope, type Tensor } from '@espalier/torch';
import type { AutoDeepLab, Block } from '../networks/auto-deeplab/architecture.js';
import { mostProbablePath } from '../networks/auto-deeplab/most-probable-path.js';
import { OPERATIONS } from '../networks/auto-deeplab/operations.js';
import { resize, type Size, sizeOf } from '../networks/auto-deeplab/resize.js';
import { SpatialPyramid } from '../networks/auto-deeplab/spatial-pyramid.js';
import { STEM_CHANNELS, Stem } from '../networks/auto-deeplab/stem.js';
import type { InputShape } from '../space/space.js';
import { Alphas, type Relaxation } from './alphas.js';
import { edgesFrom, firstEdge, SuperCell } from './auto-deeplab-cell.js';
import { Betas } from './betas.js';
import { columnsWithout, strongestEdges } from './strongest-edges.js';
import type { CellChoice, Supernet } from './supernet.js';

/** Strides 4, 8, 16 and 32. */
const LEVELS = 4;

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

  constructor(channels: number, stride: number, classes: number) {
    super();
    this.pyramid = new SpatialPyramid(channels, stride, { channels, atrous: 1 });
    this.classifier = new nn.Conv2d(channels, classes, 1);
  }

  forward(map: Tensor): Tensor {
    return this.classifier.forward(this.pyramid.forward(map.relu()));
  }
}

/**
 * The supernet of `auto-deeplab` (Liu et al. 2019, section 4.1): a cell with all operations at every node of the trellis,
 * where all cells share alpha, and all paths at once, weighted by beta. A node at level l has `blocks` x
 * `filterMultiplier` x 2^l channels (section 5.1). Stem, operations and resizing are those of the networks that are built.
 *
 * Not in the paper: in the first layers, where the trellis has no map of a cell's level two layers before, the cell does
 * without it. At stride 4 the two maps of the stem take the place of the layers before the first, so that a path that
 * stays there is the network that is built, except for the head.
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

  constructor(
    shape: InputShape,
    options: {
      readonly layers: number;
      readonly blocks: number;
      readonly filterMultiplier: number;
      readonly firstLayerMayHalve: boolean;
    },
  ) {
    super();
    const { layers, blocks, filterMultiplier, firstLayerMayHalve } = options;
    this.stem = new Stem(shape.channels);
    /** The channels of the maps of each layer, by level; the two maps of the stem come first. */
    const channels: number[][] = [[STEM_CHANNELS.half], [STEM_CHANNELS.quarter]];
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
          return new SuperCell(blocks, own, transitions, before[level]);
        }),
      );
    });
    this.heads = (channels.at(-1) as number[]).map(
      (own, level) => new Head(own, 4 * 2 ** level, shape.classes),
    );
    this.#alphas = new Alphas(firstEdge(blocks), OPERATIONS.length);
    this.#betas = new Betas(layers, LEVELS, firstLayerMayHalve);
    this.#blocks = blocks;
  }

  /**
   * Before the softmax. Those of the cell are [edges, operations]. Those of the trellis are [layers, 4 levels of the layer
   * before, 3], to the level above, the same, or below; those from or to a level that does not exist are never read.
   */
  architectureParameters(): { readonly cell: nn.Parameter; readonly trellis: nn.Parameter } {
    return { cell: this.#alphas.values, trellis: this.#betas.values };
  }

  /**
   * All paths and all operations at once: [N, channels, H, W] to the logits [N, classes, H, W], summed over the maps of the
   * last layer. In training N is 2 or more, for the batch norm of image pooling.
   */
  forward(image: Tensor): Tensor {
    // No block reads the last one.
    const states = Array.from({ length: this.#blocks + 1 }, (_, state) => state);
    const alphas = this.#alphas.weightsOf(states.map((state) => edgesFrom(state, this.#blocks)));
    const beta = this.#betas.weights();
    const { half, quarter } = this.stem.forward(image);
    const sizes = sizesBelow(quarter);
    let [beforeLast, last] = [[half], [quarter]];
    for (const [layer, { cells }] of this.layers.entries()) {
      // A scope frees at once what only the sums of the cell need.
      const next = cells.map((cell, level) =>
        scope(() => {
          const previous = cell.transitions.map(({ from }) =>
            upsampled(last[from] as Tensor, from, level, sizes),
          );
          return cell
            .mixtures(previous, beforeLast[level], alphas)
            .map((value, place) => value.mul(beta(layer, cell.transitions[place]?.from as number, level)))
            .reduce((sum, value) => sum.add(value));
        }),
      );
      [beforeLast, last] = [last, next];
    }
    return last.map((map, level) => this.#logits(map, level, image)).reduce((sum, logits) => sum.add(logits));
  }

  /** One architecture with the shared weights: only the cells on its path and only its operations, unweighted. */
  forwardPath(image: Tensor, { path, cell }: AutoDeepLab): Tensor {
    const { half, quarter } = this.stem.forward(image);
    const sizes = sizesBelow(quarter);
    let beforeLast = { level: 0, map: half };
    let last = { level: 0, map: quarter };
    for (const [layer, level] of path.entries()) {
      const node = this.layers[layer]?.cells[level] as SuperCell;
      const previous = upsampled(last.map, last.level, level, sizes);
      const before = beforeLast.level === level ? beforeLast.map : undefined;
      const map = node.single(previous, last.level, before, cell);
      [beforeLast, last] = [last, { level, map }];
    }
    return this.#logits(last.map, last.level, image);
  }

  /**
   * What the architecture parameters favour (section 4.3): for each block the two inputs whose strongest operation other
   * than 'none' is strongest, each with that operation, the stronger first; and the path with the largest product of betas.
   */
  derive(): AutoDeepLab {
    const weights = this.#alphas.weightNumbers();
    const cell = Array.from({ length: this.#blocks }, (_, block): Block => {
      const edges = weights.slice(firstEdge(block), firstEdge(block + 1));
      const [first, second] = strongestEdges(edges, OPERATIONS, 2);
      if (first === undefined || second === undefined) throw new Error('a block has two inputs or more');
      return [first.state, second.state, first.operation, second.operation];
    });
    // All paths start at the stem, which is no layer.
    return { path: mostProbablePath(this.#betas.weightNumbers(), 0).slice(1), cell };
  }

  /** Each block keeps two inputs, never with 'none'. The paths of the trellis are not among the choices. */
  choices(): { readonly cell: CellChoice } {
    const nodes = Array.from({ length: this.#blocks }, (_, block) => ({
      edges: Array.from({ length: block + 2 }, (_, state) => firstEdge(block) + state),
      keeps: 2,
    }));
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
