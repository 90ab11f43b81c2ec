import { foreachAdd_, foreachSub, fromTypedArray, noGrad, scope, type Tensor } from '@espalier/torch';

/** The mean of the weights over the steps since it began: averaged SGD (Polyak & Juditsky 1992). */
export class AveragedWeights {
  readonly #weights: readonly Tensor[];
  #means: Tensor[] = [];
  #steps = 0;

  constructor(weights: readonly Tensor[]) {
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
        foreachAdd_(this.#means, foreachSub(this.#weights, this.#means), { alpha: 1 / this.#steps }),
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
