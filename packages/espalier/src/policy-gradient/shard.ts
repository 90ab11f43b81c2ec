import { optim, scope, type Tensor } from '@espalier/torch';
import { deriveSeed } from '../random/random.js';

export interface ShardOptions {
  /** Of Adam. */
  readonly learningRate: number;
  /** Gradients that make one update. */
  readonly accumulate: number;
}

/** What a shard has counted. */
export interface ShardCounts {
  /** Number of updates made. */
  readonly version: number;
  /** Gradients since the last update. */
  readonly accumulated: number;
}

/** The shard of a parameter, of `shards` shards: it depends on nothing but the name, so every process knows it. */
export function shardOf(parameter: string, shards: number): number {
  return shards === 1 ? 0 : deriveSeed(0, `shard of ${parameter}`) % shards;
}

/** A part of the parameters of a controller, with the state of Adam for them and the gradients that it accumulates. */
export class Shard {
  readonly #parameters = new Map<string, Tensor>();
  /** Missing as long as the shard has no parameters. */
  #adam: optim.Adam | undefined;
  /** The sums of the accumulated gradients, by parameter. Empty if every gradient makes an update. */
  readonly #sums = new Map<string, Tensor>();
  #version = 0;
  #accumulated = 0;

  constructor(private readonly options: ShardOptions) {}

  get counts(): ShardCounts {
    return { version: this.#version, accumulated: this.#accumulated };
  }

  /** Takes over parameters; their tensors stay those of the caller. */
  add(parameters: ReadonlyMap<string, Tensor>): void {
    if (parameters.size === 0) return;
    for (const [name, parameter] of parameters) this.#parameters.set(name, parameter);
    const tensors = [...parameters.values()];
    if (this.#adam === undefined)
      this.#adam = new optim.Adam(tensors, { learningRate: this.options.learningRate });
    else this.#adam.add(tensors);
  }

  /** Takes its part of a gradient, and makes an update once it has enough of them. */
  push(gradient: ReadonlyMap<string, Tensor>): void {
    const { accumulate } = this.options;
    if (accumulate === 1) this.#update(gradient);
    else {
      this.#accumulate(gradient);
      if (this.#accumulated < accumulate) return;
      scope(() =>
        this.#update(new Map([...this.#sums].map(([name, sum]) => [name, sum.div(accumulate)] as const))),
      );
      this.#freeSums();
    }
    this.#accumulated = 0;
    this.#version++;
  }

  #accumulate(gradient: ReadonlyMap<string, Tensor>): void {
    for (const name of this.#parameters.keys()) {
      const part = gradient.get(name);
      if (part === undefined) continue;
      const sum = this.#sums.get(name);
      if (sum === undefined) this.#sums.set(name, part.clone().keep());
      else sum.add_(part);
    }
    this.#accumulated++;
  }

  #update(gradient: ReadonlyMap<string, Tensor>): void {
    if (this.#adam === undefined) return;
    for (const [name, parameter] of this.#parameters) parameter.grad = gradient.get(name);
    this.#adam.step();
    this.#adam.zeroGrad();
  }

  /** The state of Adam and the accumulated gradients. */
  stateDict(): Map<string, Tensor> {
    const sums = [...this.#sums].map(([name, sum]): [string, Tensor] => [`sum.${name}`, sum.clone()]);
    const adam = [...(this.#adam?.stateDict() ?? [])].map(([name, tensor]): [string, Tensor] => [
      `adam.${name}`,
      tensor,
    ]);
    return new Map([...sums, ...adam]);
  }

  /**
   * Restores a state.
   *
   * @throws Error for a state of other parameters
   */
  loadStateDict(state: ReadonlyMap<string, Tensor>, { version, accumulated }: ShardCounts): void {
    const adam = new Map<string, Tensor>();
    const sums = new Map<string, Tensor>();
    for (const [name, tensor] of state) {
      const [kind, rest] = [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)];
      if (kind === 'adam') adam.set(rest, tensor);
      else if (this.#parameters.get(rest)?.shape.join() === tensor.shape.join()) sums.set(rest, tensor);
      else throw new Error(`the shard has no parameter ${rest} of shape [${tensor.shape}]`);
    }
    this.#adam?.loadStateDict(adam);
    this.#freeSums();
    for (const [name, sum] of sums) this.#sums.set(name, sum.clone().keep());
    this.#version = version;
    this.#accumulated = accumulated;
  }

  /** Frees everything but the parameters. */
  free(): void {
    this.#adam?.free();
    this.#freeSums();
  }

  #freeSums(): void {
    for (const sum of this.#sums.values()) sum.free();
    this.#sums.clear();
  }
}
