import { cat, nn, type Tensor } from '@espalier/torch';
import { CellGraph } from '../../cells/cell-graph.js';
import { type CellEdge, runCell } from '../../cells/run-cell.js';
import { runByKernels } from '../../cells/run-together.js';
import { CELL_INPUTS, type NasnetCellArchitecture, stateWidth } from './architecture.js';
import { convolution, type Normalization } from './convolution.js';
import { FactorizedReduction, RectifiedReduction } from './factorized-reduction.js';
import { buildOperation } from './operations.js';

/** The position of a cell in its network, which determines its sizes. */
export interface CellPlace {
  /** Number of filters of the cell's convolutions. */
  readonly filters: number;
  /** Stride of the operations that read an input of the cell: 2 in a reduction cell. */
  readonly stride: 1 | 2;
  /** Number of channels of the cell's input. */
  readonly channels: number;
  /** The input before that. Missing in the first cell, which uses its only input in both roles. */
  readonly previous?: { readonly channels: number; readonly twiceAsLarge: boolean };
}

/** A normal or a reduction cell (section 3): blocks over hidden states, and the concatenation of some of the states. */
export class NasnetCell extends nn.Module {
  /** Brings the previous input to the size of the input and to the number of filters of the convolutions. */
  readonly previous: nn.Layer;
  /** Brings the input to the number of filters of the convolutions, by a 1x1 convolution. */
  readonly input: nn.Sequential;
  /** Two operations per block. */
  readonly operations: readonly nn.Layer[];
  /** For each state in the output: fits an input of the cell to the other states. The identity for blocks. */
  readonly outputs: readonly nn.Layer[];
  readonly kind: 'normal' | 'reduction';
  readonly #graph: CellGraph<CellEdge>;
  readonly #concat: readonly number[];
  readonly #readsOneInput: boolean;

  constructor(architecture: NasnetCellArchitecture, place: CellPlace, normalization: Normalization) {
    super();
    const { filters, stride, channels, previous } = place;
    this.kind = stride === 2 ? 'reduction' : 'normal';
    this.#concat = architecture.concat;
    this.#readsOneInput = previous === undefined;
    this.previous = previousInput(filters, previous, normalization);
    this.input = new nn.Sequential(new nn.ReLU(), ...convolution(channels, filters, normalization));
    const channelsOf = (state: number) =>
      state === 1 && previous === undefined ? channels : filters * stateWidth(architecture, state);
    this.operations = architecture.blocks.flatMap(({ inputs, operations }) =>
      operations.map((operation, side) => {
        const state = inputs[side] as number;
        return buildOperation(
          operation,
          channelsOf(state),
          filters,
          state < CELL_INPUTS ? stride : 1,
          normalization,
        );
      }),
    );
    this.#graph = graphOf(architecture, this.operations);
    this.outputs = architecture.concat.map((state) => {
      if (state >= CELL_INPUTS) return new nn.Identity();
      if (stride === 2) return new FactorizedReduction(channelsOf(state), filters, normalization);
      if (channelsOf(state) === filters) return new nn.Identity();
      return new nn.Sequential(...convolution(channelsOf(state), filters, normalization));
    });
  }

  /**
   * @param input [N, channels, H, W]
   * @param previous the previous input, with the shape given by the cell's place; ignored in the first cell
   * @param dropProbability the probability of dropping each path in training, except skip connections
   * @returns [N, filters x width of the cell, H/stride, W/stride]
   */
  forward(input: Tensor, previous: Tensor, dropProbability: number): Tensor {
    const states = runCell(
      this.#graph,
      [apply(this.input, input), this.#readsOneInput ? input : apply(this.previous, previous)],
      { dropProbability },
    );
    const ends = this.outputs.map((layer, index) =>
      layer.forward(states[this.#concat[index] as number] as Tensor),
    );
    return ends.length === 1 ? (ends[0] as Tensor) : cat(ends, 1);
  }
}

/** The blocks as nodes. An operation without weights is the same wherever it reads a state, so its edges share a layer. */
function graphOf({ blocks }: NasnetCellArchitecture, layers: readonly nn.Layer[]): CellGraph<CellEdge> {
  const shared = new Map<string, nn.Layer>();
  const nodes = blocks.map(({ inputs, operations, combine }, block) => ({
    combine,
    edges: operations.map((name, side): CellEdge => {
      const from = inputs[side] as number;
      const own = layers[2 * block + side] as nn.Layer;
      const operation = shared.get(`${name} ${from}`) ?? own;
      if (own.stateDict().size === 0) shared.set(`${name} ${from}`, operation);
      return { from, operation, neverDropped: name === 'skip_connect' };
    }),
  }));
  return new CellGraph(CELL_INPUTS, nodes);
}

function apply(layer: nn.Layer, input: Tensor): Tensor {
  return runByKernels(layer, input) ?? layer.forward(input);
}

function previousInput(
  filters: number,
  previous: CellPlace['previous'],
  normalization: Normalization,
): nn.Layer {
  if (previous?.twiceAsLarge)
    return new RectifiedReduction(new FactorizedReduction(previous.channels, filters, normalization));
  if (previous === undefined || previous.channels === filters) return new nn.Identity();
  return new nn.Sequential(new nn.ReLU(), ...convolution(previous.channels, filters, normalization));
}
