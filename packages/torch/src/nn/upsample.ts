import { upsampleBilinear2d, upsampleNearest2d } from '../operators.generated.js';
import type { Tensor } from '../tensor.js';
import { type Pair, requirePair } from './constructor-arguments.js';
import { Layer } from './module.js';

export interface UpsampleOptions {
  /** Height and width of the result. */
  size?: Pair;
  /** Factors for height and width; the resulting sizes are rounded down. */
  scaleFactor?: Pair;
  /** `nearest` by default. */
  mode?: 'nearest' | 'bilinear';
  /** For `bilinear`: whether the corner pixels keep their values, like PyTorch's `align_corners`; off by default. */
  alignCorners?: boolean;
}

/** Enlarges or shrinks images like PyTorch's `Upsample` and `interpolate`: [N, C, H, W] to [N, C, H', W']. */
export class Upsample extends Layer {
  readonly #size: readonly [number, number] | undefined;
  readonly #factors: readonly [number, number] | undefined;
  readonly #mode: 'nearest' | 'bilinear';
  readonly #alignCorners: boolean;

  /** @throws RangeError unless exactly one of `size` and `scaleFactor` is given and in range, and for another mode */
  constructor(options: UpsampleOptions) {
    super();
    const { size, scaleFactor, mode = 'nearest', alignCorners = false } = options;
    if ((size === undefined) === (scaleFactor === undefined))
      throw new RangeError('Upsample takes either a size or a scaleFactor');
    if (mode !== 'nearest' && mode !== 'bilinear')
      throw new RangeError(`mode must be 'nearest' or 'bilinear', not '${mode}'`);
    if (alignCorners && mode !== 'bilinear') throw new RangeError("alignCorners needs the mode 'bilinear'");
    this.#size = size === undefined ? undefined : requirePair('size', size);
    this.#factors = scaleFactor === undefined ? undefined : factors(scaleFactor);
    this.#mode = mode;
    this.#alignCorners = alignCorners;
  }

  /** @throws RangeError for an input without exactly four dimensions */
  forward(input: Tensor): Tensor {
    const { shape } = input;
    if (shape.length !== 4)
      throw new RangeError(
        `Upsample takes tensors of shape [N, C, H, W], not one of shape [${shape.join(', ')}]`,
      );
    return this.#mode === 'nearest'
      ? upsampleNearest2d(input, this.#size, this.#factors)
      : upsampleBilinear2d(input, this.#size, this.#alignCorners, this.#factors);
  }
}

function factors(scale: Pair): readonly [number, number] {
  const both = typeof scale === 'number' ? ([scale, scale] as const) : scale;
  if (both.length !== 2 || !both.every((factor) => factor > 0 && factor < Infinity))
    throw new RangeError(`scaleFactor must be a number above 0, or two of them, not ${String(scale)}`);
  return both;
}
