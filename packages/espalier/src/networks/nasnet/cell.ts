import { cat, fused, nn, type Tensor } from '@espalier/torch';
import { chainOf, runFused } from '../fused-units.js';
import { materialise, type Path, pathOf, sumOf } from '../mixture-terms.js';
import { runTogether } from '../run-together.js';
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
  readonly #architecture: NasnetCellArchitecture;
  readonly #readsOneInput: boolean;
  /** For each state, the indices of the operations that read it. */
  readonly #leaving: readonly (readonly number[])[];

  constructor(architecture: NasnetCellArchitecture, place: CellPlace, normalization: Normalization) {
    super();
    const { filters, stride, channels, previous } = place;
    this.kind = stride === 2 ? 'reduction' : 'normal';
    this.#architecture = architecture;
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
    const read = architecture.blocks.flatMap(({ inputs }) => inputs);
    this.#leaving = Array.from({ length: CELL_INPUTS + architecture.blocks.length }, (_, state) =>
      [...read.keys()].filter((place) => read[place] === state),
    );
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
    const { blocks, concat } = this.#architecture;
    const states = [
      materialise({ term: run(this.input, input) }),
      this.#readsOneInput ? input : materialise({ term: run(this.previous, previous) }),
    ];
    const values: fused.MixtureTerm[] = [];
    const leave = (state: number) => {
      const places = this.#leaving[state] as readonly number[];
      const layers = places.map((place) => this.operations[place] as nn.Layer);
      const made = runOperations(layers, states[state] as Tensor);
      for (const [index, place] of places.entries()) values[place] = made[index] as fused.MixtureTerm;
    };
    leave(0);
    leave(1);
    for (const [index, { operations, combine }] of blocks.entries()) {
      const [left, right] = operations.map((operation, side) => {
        const drops = this.training && operation !== 'skip_connect';
        return pathOf(values[2 * index + side] as fused.MixtureTerm, drops ? dropProbability : 0);
      }) as [Path, Path];
      states.push(combine === 'add' ? sumOf([left, right]) : cat([materialise(left), materialise(right)], 1));
      leave(states.length - 1);
    }
    const ends = this.outputs.map((layer, index) => layer.forward(states[concat[index] as number] as Tensor));
    return ends.length === 1 ? (ends[0] as Tensor) : cat(ends, 1);
  }
}

/** Applies several operations to the same state. */
function runOperations(layers: readonly nn.Layer[], state: Tensor): fused.MixtureTerm[] {
  // Pooling has no parameters, so each kind is computed only once.
  const pooled = new Map<string, fused.MixtureTerm>();
  const runOne = (layer: nn.Layer) => {
    if (!(layer instanceof nn.MaxPool2d || layer instanceof nn.AvgPool2d)) return run(layer, state);
    const kind = `${layer.constructor.name} ${layer.kernel}`;
    const value = pooled.get(kind) ?? layer.forward(state);
    pooled.set(kind, value);
    return value;
  };
  return runTogether(
    layers.map((layer) => [layer]),
    state,
    ([layer]) =>
      layer instanceof nn.Sequential && fused.servesLayer(layer, state) ? chainOf([layer]) : undefined,
    ([layer]) => runOne(layer as nn.Layer),
  );
}

/** Runs a layer. If the kernels support it, batch norm is deferred to the sum of the block. */
function run(layer: nn.Layer, state: Tensor): fused.MixtureTerm {
  if (layer instanceof RectifiedReduction) return layer.run(state) ?? layer.forward(state);
  return (layer instanceof nn.Sequential ? runFused([layer], state) : undefined) ?? layer.forward(state);
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
