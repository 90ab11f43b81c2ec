import { cat, fused, nn, type Tensor } from '@espalier/torch';
import { chainOf, runFused } from '../fused-units.js';
import { type Path, pathOf, sumOf, written } from '../mixture-terms.js';
import { runTogether } from '../run-together.js';
import { CELL_INPUTS, type NasnetCellArchitecture, stateWidth } from './architecture.js';
import { convolution, type Normalization } from './convolution.js';
import { FactorizedReduction, RectifiedReduction } from './factorized-reduction.js';
import { buildOperation } from './operations.js';

/** Where a cell stands in its network. */
export interface CellPlace {
  /** Filters of the cell's convolutions. */
  readonly filters: number;
  /** 2 in a reduction cell: for the operations that read one of the cell's inputs. */
  readonly stride: 1 | 2;
  /** Channels of the cell's input. */
  readonly channels: number;
  /** The input before that; missing in the first cell, which reads its only input in both places. */
  readonly previous?: { readonly channels: number; readonly twiceAsLarge: boolean };
}

/** A normal or a reduction cell (section 3): blocks over hidden states, the ends concatenated. */
export class NasnetCell extends nn.Module {
  /** Makes the previous input as small as the input, and gives it as many filters as the convolutions have. */
  readonly previous: nn.Layer;
  /** A 1x1 convolution gives the input as many filters as the convolutions have. */
  readonly input: nn.Sequential;
  /** Two for each block. */
  readonly operations: readonly nn.Layer[];
  /** For each state in the output: makes an input of the cell fit the others; does nothing to a block. */
  readonly outputs: readonly nn.Layer[];
  readonly kind: 'normal' | 'reduction';
  readonly #architecture: NasnetCellArchitecture;
  readonly #readsOneInput: boolean;
  /** Of each state, the places of the operations that read it. */
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
   * @param previous as the cell's place says; not read in the first cell
   * @param dropProbability of each path but the skip connections, in training
   * @returns [N, filters x width of the cell, H/stride, W/stride]
   */
  forward(input: Tensor, previous: Tensor, dropProbability: number): Tensor {
    const { blocks, concat } = this.#architecture;
    const states = [
      written({ term: run(this.input, input) }),
      this.#readsOneInput ? input : written({ term: run(this.previous, previous) }),
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
      states.push(combine === 'add' ? sumOf([left, right]) : cat([written(left), written(right)], 1));
      leave(states.length - 1);
    }
    const ends = this.outputs.map((layer, index) => layer.forward(states[concat[index] as number] as Tensor));
    return ends.length === 1 ? (ends[0] as Tensor) : cat(ends, 1);
  }
}

/** What several operations make of a state that all of them read. */
function runOperations(layers: readonly nn.Layer[], state: Tensor): fused.MixtureTerm[] {
  // What learns nothing is the same wherever it stands.
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

/** What batch norm makes is left to the sum of the block where the kernels can. */
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
