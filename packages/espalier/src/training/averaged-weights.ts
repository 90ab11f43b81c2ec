import { foreachAdd_, foreachSub, fromTypedArray, noGrad, scope, type Tensor } from '@espalier/torch';

/** How far a mean moves to the weights in a step, counted from 1. */
type Rate = (step: number) => number;

/** Averaged SGD (Polyak & Juditsky 1992): all steps count alike. */
const alike: Rate = (step) => 1 / step;

/**
 * A running average whose older weights count ever less, as TensorFlow's `ExponentialMovingAverage` with a number of updates.
 *
 * @param decay its decay rate; in step t (1 + t) / (10 + t) while that is less
 */
export const exponential =
  (decay: number): Rate =>
  (step) =>
    1 - Math.min(decay, (1 + step) / (10 + step));

/** A mean of the weights over the steps since it began. */
export class AveragedWeights {
  readonly #weights: readonly Tensor[];
  #means: Tensor[] = [];
  #steps = 0;

  constructor(
    weights: readonly Tensor[],
    private readonly rate: Rate = alike,
  ) {
    this.#weights = weights;
  }

  /** Takes in the weights after a step. */
  update(): void {
    this.#steps++;
    if (this.#steps === 1) {
      this.#means = scope(() => noGrad(() => this.#weights.map((weight) => weight.clone().keep())));
      return;
    }
    scope(() =>
      noGrad(() =>
        foreachAdd_(this.#means, foreachSub(this.#weights, this.#means), { alpha: this.rate(this.#steps) }),
      ),
    );
  }

  /** Runs `body` with the means in place of the weights, which are as before afterwards, to the bit. */
  within<T>(body: () => T): T {
    return scope(() => {
      const before = noGrad(() => this.#weights.map((weight) => weight.clone()));
      this.replace();
      try {
        return body();
      } finally {
        this.#set(before);
      }
    });
  }

  /** Puts the means in place of the weights; without a step these stay. */
  replace(): void {
    if (this.#steps > 0) this.#set(this.#means);
  }

  #set(values: readonly Tensor[]): void {
    scope(() =>
      noGrad(() => {
        for (const [place, value] of values.entries()) (this.#weights[place] as Tensor).copy_(value);
      }),
    );
  }

  stateDict(): Map<string, Tensor> {
    return new Map([
      ...this.#means.map((mean, place) => [`${place}`, mean] as const),
      ['steps', fromTypedArray(BigInt64Array.of(BigInt(this.#steps)), [1])],
    ]);
  }

  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    this.free();
    this.#steps = state.get('steps')?.toNumbers()[0] ?? 0;
    if (this.#steps === 0) return;
    this.#means = noGrad(() =>
      this.#weights.map((weight, place) => {
        const mean = state.get(`${place}`);
        if (mean === undefined) throw new Error(`the state has no mean of weight ${place}`);
        return weight.detach().clone().copy_(mean).keep();
      }),
    );
  }

  free(): void {
    for (const mean of this.#means) mean.free();
    this.#means = [];
    this.#steps = 0;
  }
}
