import { cat, nn, type Tensor } from '@espalier/torch';
import { runByKernels } from '../cells/run-together.js';

/**
 * Partial connections (PC-DARTS, Xu et al. 2020, section 3.2): operations see one in K channels of a state, the others
 * bypass them.
 */
export class PartialChannels {
  /** Layers with a bypass around them. */
  readonly #around = new Map<nn.Layer, nn.Layer>();

  /**
   * @param channels of a state
   * @param groups K
   * @param halves whether the operations on a state, by its place, halve height and width
   */
  constructor(
    private readonly channels: number,
    private readonly groups: number,
    private readonly halves: (from: number) => boolean,
  ) {}

  /**
   * @param state [N, C, H, W]
   * @param from its place
   * @returns the [N, C / K, H, W] that operations read, and what makes [N, C, H', W'] of their [N, C / K, H', W']
   */
  divide(state: Tensor, from: number): { readonly read: Tensor; readonly unite: (value: Tensor) => Tensor } {
    const seen = this.channels / this.groups;
    const others = state.narrow(1, seen, this.channels - seen);
    const read = state.narrow(1, 0, seen).contiguous({ memoryFormat: 'channels_last' });
    const passing = this.halves(from) ? others.maxPool2d([2, 2], [2, 2]) : others;
    return { read, unite: (value) => shuffle(cat([value, passing], 1), this.groups) };
  }

  /** A layer with the bypass around it, on a state by its place; the same one every time. */
  around(layer: nn.Layer, from: number): nn.Layer {
    const made = this.#around.get(layer) ?? new Bypassed(layer, (state) => this.divide(state, from));
    this.#around.set(layer, made);
    return made.train(layer.training);
  }
}

class Bypassed extends nn.Layer {
  constructor(
    private readonly layer: nn.Layer,
    private readonly divide: (state: Tensor) => ReturnType<PartialChannels['divide']>,
  ) {
    super();
  }

  forward(state: Tensor): Tensor {
    const { read, unite } = this.divide(state);
    return unite(runByKernels(this.layer, read) ?? this.layer.forward(read));
  }
}

/** [N, C, H, W] with the channels of K groups interleaved, so that the next node sees some channels of each group. */
function shuffle(value: Tensor, groups: number): Tensor {
  const [count, channels, height, width] = value.shape as [number, number, number, number];
  return value
    .reshape([count, groups, channels / groups, height, width])
    .transpose(1, 2)
    .reshape([count, channels, height, width])
    .contiguous({ memoryFormat: 'channels_last' });
}
