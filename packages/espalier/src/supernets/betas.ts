import { nn, noGrad, randn, scope, type Tensor, tensor } from '@espalier/torch';

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

  /** @param firstMayDescend whether layer 0 has a level 1; otherwise the stem leads only to level 0 */
  constructor(
    private readonly layers: number,
    private readonly levels: number,
    firstMayDescend: boolean,
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
    const weights = scope(() => noGrad(() => this.#softmax().toNumbers()));
    const levels = Array.from({ length: this.levels }, (_, level) => level);
    return Array.from({ length: this.layers }, (_, layer) =>
      levels.map((from) =>
        levels.map((to) =>
          MOVES.includes(to - from) ? (weights[this.#place(layer, from, to)] as number) : 0,
        ),
      ),
    );
  }

  #softmax(): Tensor {
    return this.values.maskedFill(this.outside, Number.NEGATIVE_INFINITY).softmax(-1);
  }

  #place(layer: number, from: number, to: number): number {
    return (layer * this.levels + from) * MOVES.length + MOVES.indexOf(to - from);
  }
}
