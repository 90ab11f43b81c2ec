import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { InputError } from '../input-error.js';

/**
 * A seeded stream of random numbers: xoroshiro128+ (Blackman & Vigna 2018). Its state can be saved and restored; equal
 * states yield equal numbers.
 */
export class Random {
  readonly #generator: ReturnType<typeof xoroshiro128plusFromState>;

  private constructor(state: readonly number[]) {
    this.#generator = xoroshiro128plusFromState(state);
  }

  /**
   * The stream of `seed` for one purpose. Its state is 128 bits of the SHA-256 of both, so streams of other seeds or
   * other purposes are independent of it.
   *
   * @throws InputError for a seed that is no safe integer
   */
  static of(seed: number, purpose: string): Random {
    return new Random(stateFrom(digestOf(seed, purpose)));
  }

  /** @throws RangeError for anything but what `state` returned: four 32-bit integers, not all of them 0 */
  static restore(state: readonly number[]): Random {
    if (state.length !== 4 || state.some((word) => word !== (word | 0)) || state.every((word) => word === 0))
      throw new RangeError(
        `a state of random numbers is [${state}]; allowed: four 32-bit integers, not all of them 0`,
      );
    return new Random(state);
  }

  state(): readonly number[] {
    return this.#generator.getState();
  }

  /** A number in [0, 1), with 53 random bits. */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** A number from the normal distribution with mean 0 and variance 1 (Box & Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** An integer in [0, n), each equally likely. @throws RangeError unless n is a positive safe integer */
  below(n: number): number {
    if (!(Number.isSafeInteger(n) && n > 0))
      throw new RangeError(`a random integer is drawn below ${n}; allowed: a positive safe integer`);
    return uniformInt(this.#generator, 0, n - 1);
  }

  /** An order of 0 .. n-1, each of the n! equally likely (Fisher & Yates). */
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

/**
 * A seed for one purpose, derived from the seed of a run: a safe integer of 53 random bits, as JSON and libtorch's
 * `manual_seed` hold exactly. Other purposes have seeds of their own.
 *
 * @throws InputError for a seed that is no safe integer
 */
export function deriveSeed(seed: number, purpose: string): number {
  return Number(digestOf(seed, purpose).readBigUInt64LE(0) >> 11n);
}

/** The first 16 bytes as four 32-bit integers. A state of zeros would yield zeros for ever, so it becomes 1. */
export function stateFrom(digest: Buffer): readonly number[] {
  const words = [0, 4, 8, 12].map((at) => digest.readInt32LE(at));
  return words.some((word) => word !== 0) ? words : [0, 0, 0, 1];
}

function digestOf(seed: number, purpose: string): Buffer {
  if (!Number.isSafeInteger(seed))
    throw new InputError(
      `the seed is ${seed}; allowed: integers from ${Number.MIN_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}`,
    );
  return createHash('sha256').update(`${seed}:${purpose}`).digest();
}
