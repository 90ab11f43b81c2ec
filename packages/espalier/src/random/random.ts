import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

/** A seeded stream of random numbers whose state can be saved: equal state, equal numbers. */
export class Random {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  private constructor(generator: ReturnType<typeof xoroshiro128plus>) {
    this.#generator = generator;
  }

  /** The stream of `seed` for one purpose: streams of other names (or other seeds) are independent of it. */
  static of(seed: number, purpose: string): Random {
    return new Random(xoroshiro128plus(deriveSeed(seed, purpose)));
  }

  static restore(state: readonly number[]): Random {
    return new Random(xoroshiro128plusFromState(state));
  }

  state(): readonly number[] {
    return this.#generator.getState();
  }

  /** A number in [0, 1), with 53 random bits. */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** A number from the normal distribution of mean 0 and variance 1 (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return uniformInt(this.#generator, 0, n - 1);
  }

  /** An order of 0 .. n-1, each of the n! equally likely (Fisher and Yates). */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = order[i] as number;
      order[i] = order[j] as number;
      order[j] = kept;
    }
    return order;
  }
}

/** A 31-bit seed for one purpose, derived from a run's seed so that no two purposes share a stream. */
export function deriveSeed(seed: number, purpose: string): number {
  return createHash('sha256').update(`${seed}:${purpose}`).digest().readUInt32LE(0) >>> 1;
}
