import { cat, nn, type Tensor } from '@espalier/torch';
import { CellGraph } from '../cells/cell-graph.js';
import type { EdgeWeights } from '../cells/edge-weights.js';
import { MixedOperation } from '../cells/mixed-operation.js';
import { PoolNorm } from '../cells/pool-norm.js';
import { type LeavingWeights, type MixedEdge, runMixedCells } from '../cells/run-mixed-cell.js';
import type { Block } from '../networks/auto-deeplab/architecture.js';
import {
  EPSILON,
  OPERATIONS,
  type OperationName,
  operation,
  ReluConvNorm,
} from '../networks/auto-deeplab/operations.js';
import { resize, sizeOf } from '../networks/auto-deeplab/resize.js';

/** The place of a block's first edge: the blocks before it have 2, 3, ... edges. */
export function firstEdge(block: number): number {
  return (block * (block + 3)) / 2;
}

/** The edges that leave a state, into the first block that may read it and into all later ones. */
export function edgesFrom(state: number, blocks: number): number[] {
  const first = Math.max(0, state - 1);
  return Array.from({ length: blocks - first }, (_, place) => firstEdge(first + place) + state);
}

/**
 * All operations on one edge. The paper says nothing about batch norm in the search. As in the search of DARTS, on which
 * the paper builds, it also follows the pooling operations, so that the weights compare like with like, and learns no
 * scale, which would do what the weights do.
 */
function mixedOperation(filters: number): MixedOperation<OperationName> {
  return new MixedOperation(OPERATIONS, (name) => {
    if (name !== 'max_pool_3x3' && name !== 'avg_pool_3x3') return operation(name, filters, 1, false);
    const norm = new nn.BatchNorm2d(filters, { epsilon: EPSILON, affine: false });
    return new PoolNorm(name === 'max_pool_3x3' ? 'max' : 'avg', 1, norm);
  });
}

/** A transition into a cell from the layer before. */
export interface Transition {
  /** The level in the layer before. */
  readonly from: number;
  readonly channels: number;
  /** Whether the map of that level still has to be halved. */
  readonly halves: boolean;
}

/**
 * The cell at one node of the trellis, with an edge from every earlier state to every block. The transitions into the node
 * share all weights except those that bring their map to the size and the filters of the cell: a convolution with stride 2
 * from the level above, a 1x1 convolution from the same level and, after upsampling, from the level below (section 5.1; the
 * paper does not give the size of the former, which is 3x3 here).
 */
export class SuperCell extends nn.Module {
  readonly previous: readonly ReluConvNorm[];
  /** For the map of two layers before where it has another number of channels, as in the networks that are built. */
  readonly before?: ReluConvNorm;
  /** Into the first block from the previous layer and from two layers before, then into the second block, and so on. */
  readonly edges: readonly (MixedOperation<OperationName> | undefined)[];

  /** The level of the map that it reads from two layers before; undefined: it reads none. */
  readonly beforeLevel: number | undefined;
  /** Its states: the map of two layers before where it reads one, that of the layer before, the blocks. */
  readonly #graph: CellGraph<MixedEdge>;

  /** @param source the map that it reads from two layers before; undefined: there are no edges from there */
  constructor(
    private readonly blocks: number,
    filters: number,
    readonly transitions: readonly Transition[],
    source: { readonly level: number; readonly channels: number } | undefined,
  ) {
    super();
    this.beforeLevel = source?.level;
    const before = source?.channels;
    this.previous = transitions.map(
      ({ channels, halves }) =>
        new ReluConvNorm(
          channels,
          filters,
          halves ? { size: 3, stride: 2, affine: false } : { affine: false },
        ),
    );
    if (before !== undefined && before !== filters)
      this.before = new ReluConvNorm(before, filters, { affine: false });
    this.edges = Array.from({ length: blocks }, (_, block) =>
      Array.from({ length: 2 + block }, (_, input) =>
        input === 1 && before === undefined ? undefined : mixedOperation(filters),
      ),
    ).flat();
    this.#graph = this.#graphOf(before !== undefined);
  }

  /**
   * The terms of equation 6 before they are weighted: the cell applied to the map of each transition, together with the map
   * of two layers before.
   *
   * @param previous [N, C, H, W] for each transition; maps from the level below are upsampled to the cell's size already
   * @param before [N, C', H', W'] of any size
   * @param weights for each state, those of the edges that leave it
   * @returns [N, blocks * filters, H, W] of the cell's size for each transition
   */
  mixtures(previous: readonly Tensor[], before: Tensor | undefined, weights: LeavingWeights): Tensor[] {
    const read = previous.map((map, place) => (this.previous[place] as ReluConvNorm).forward(map));
    // The map of two layers before is the same for all transitions.
    const other = this.#read(before, read[0] as Tensor);
    const [ofPrevious, ofBefore, ...ofBlocks] = weights as readonly [
      EdgeWeights,
      EdgeWeights,
      ...EdgeWeights[],
    ];
    const cells = runMixedCells(
      this.#graph,
      other === undefined ? [] : [other],
      read.map((state) => [state]),
      [...(other === undefined ? [] : [ofBefore]), ofPrevious, ...ofBlocks],
    );
    return cells.map((blocks) => cat(blocks, 1));
  }

  /** The cell of one architecture on the map of one transition. Edges from `before` add nothing where there is none. */
  single(previous: Tensor, from: number, before: Tensor | undefined, cell: readonly Block[]): Tensor {
    const place = this.transitions.findIndex((transition) => transition.from === from);
    const state = (this.previous[place] as ReluConvNorm).forward(previous);
    const states: (Tensor | undefined)[] = [state, this.#read(before, state)];
    for (const [block, [first, second, onFirst, onSecond]] of cell.entries()) {
      const apply = (input: number, name: OperationName) => {
        const read = states[input];
        const edge = this.edges[firstEdge(block) + input] as MixedOperation<OperationName>;
        return read && edge.single(read, name);
      };
      const [one, other] = [apply(first, onFirst), apply(second, onSecond)];
      states.push(one && other ? one.add(other) : (one ?? other ?? state.zerosLike()));
    }
    return cat(states.slice(2) as Tensor[], 1);
  }

  /** The map of two layers before, in the size and the filters of another state. */
  #read(before: Tensor | undefined, like: Tensor): Tensor | undefined {
    if (before === undefined) return undefined;
    const resized = resize(before, sizeOf(like));
    return this.before?.forward(resized) ?? resized;
  }

  #graphOf(readsBefore: boolean): CellGraph<MixedEdge> {
    const inputs = readsBefore ? 2 : 1;
    // In the order of the edges: the previous layer comes before that of two layers before.
    const stateOf = (input: number) => (input < 2 ? inputs - 1 - input : inputs + input - 2);
    const nodes = Array.from({ length: this.blocks }, (_, block) => ({
      edges: Array.from({ length: 2 + block }, (_, input) => ({
        from: stateOf(input),
        operation: this.edges[firstEdge(block) + input],
      })).flatMap(({ from, operation }) => (operation === undefined ? [] : [{ from, operation }])),
    }));
    return new CellGraph<MixedEdge>(inputs, nodes);
  }
}
