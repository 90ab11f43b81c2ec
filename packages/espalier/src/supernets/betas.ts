import { nn, noGrad, randn, scope, type Tensor, tensor } from '@espalier/torch';

/** How the transitions that leave a level at the border of the trellis are normalised. */
export type Border = 'existing' | 'all';

/** To the level above (a larger map), to the same level, to the level below. */
const MOVES = [-1, 0, 1];

/**
 * The transition parameters of a trellis of levels (beta of Liu et al. 2019, section 4.1.2): one for each layer, each level
 * of the layer before, and each move from there; near zero at first. The stem leads to layer 0 from level 0.
 */
export class Betas extends nn.Module {
  /** [layers, levels, 3]; the last dimension is the level above, the same level, the level below. */
  readonly values: nn.Parameter;
  /** Of the same shape: whether a move leads out of the trellis. The values there are never read. */
  readonly outside: nn.Buffer;

  /**
   * @param firstMayDescend whether layer 0 has a level 1; otherwise the stem leads only to level 0
   * @param border `existing`: the weights of the moves that exist add up to 1. `all`: the softmax is over all three moves,
   *   and the share of one that leads out is lost
   */
  constructor(
    private readonly layers: number,
    private readonly levels: number,
    firstMayDescend: boolean,
    private readonly border: Border = 'existing',
  ) {
    super();
    const leadsOut = (layer: number, from: number, move: number) =>
      from + move < 0 || from + move >= levels || (layer === 0 && move === 1 && !firstMayDescend);
    const shape = [layers, levels, MOVES.length];
    this.values = new nn.Parameter(noGrad(() => randn(shape, { dtype: 'float32' }).mul_(1e-3)));
    this.outside = new nn.Buffer(
      tensor(
        Array.from({ length: layers }, (_, layer) =>
          Array.from({ length: levels }, (_, from) =>
            MOVES.map((move) => Number(leadsOut(layer, from, move))),
          ),
        ),
        'bool',
      ),
    );
  }

  /**
   * The weights of the transitions: the softmax over those that leave a level (equation 7).
   *
   * @returns gives the weight of going from a level of the layer before to a neighbouring level of a layer, without
   * dimensions
   */
  weights(): (layer: number, from: number, to: number) => Tensor {
    const weights = this.#softmax().flatten().unbind(0);
    return (layer, from, to) => weights[this.#place(layer, from, to)] as Tensor;
  }

  /** The same as numbers, by layer, level of the layer before, and level of this layer. */
  weightNumbers(): number[][][] {
    const rows = this.rows();
    const levels = Array.from({ length: this.levels }, (_, level) => level);
    return Array.from({ length: this.layers }, (_, layer) =>
      levels.map((from) =>
        levels.map((to) =>
          MOVES.includes(to - from) ? (rows[layer * this.levels + from]?.[to - from + 1] as number) : 0,
        ),
      ),
    );
  }

  /** The same, a row for each layer and each level of the layer before: to the level above, the same, the level below. */
  rows(): number[][] {
    const weights = scope(() => noGrad(() => this.#softmax().toNumbers()));
    return Array.from({ length: this.layers * this.levels }, (_, row) =>
      weights.slice(row * MOVES.length, (row + 1) * MOVES.length),
    );
  }

  #softmax(): Tensor {
    return this.border === 'existing'
      ? this.values.maskedFill(this.outside, Number.NEGATIVE_INFINITY).softmax(-1)
      : this.values.softmax(-1).maskedFill(this.outside, 0);
  }

  #place(layer: number, from: number, to: number): number {
    return (layer * this.levels + from) * MOVES.length + MOVES.indexOf(to - from);
  }
}
