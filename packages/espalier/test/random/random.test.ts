import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { deriveSeed, Random, stateFrom } from '../../src/random/random.js';

describe('a stream of random numbers', () => {
  it('starts from the first 128 bits of the SHA-256 of its seed and purpose', () => {
    // printf 1:x | sha256sum: 553f121d1ecef2a1742c9c2c999380c9...
    expect(Random.of(1, 'x').state()).toEqual([0x1d123f55, 0xa1f2ce1e | 0, 0x2c9c2c74, 0xc9809399 | 0]);
  });

  it('has the numbers of xoroshiro128+', () => {
    // Computed from the state above in Python, after the reference code (rotations of 24, 16 and 37): the low words of
    // the first three outputs are 1802723767, 1571468261 and 2993640575.
    const random = Random.of(1, 'x');
    expect(random.uniform()).toBe(0.8626774506025155);
    expect(random.below(1000)).toBe(927);
  });

  it('is another one for every seed and every purpose', () => {
    const seeds = 100_000;
    const states = new Set<string>();
    for (let seed = 0; seed < seeds; seed++) {
      states.add(Random.of(seed, 'images').state().join());
      states.add(Random.of(seed, 'weights').state().join());
    }
    expect(states.size).toBe(2 * seeds);
  });

  it('tells the largest seeds apart, and the least', () => {
    const seeds = [2 ** 53 - 1, 2 ** 53 - 2, 2 ** 52, 0, 1 - 2 ** 53, 2 - 2 ** 53];
    expect(new Set(seeds.map((seed) => Random.of(seed, 'x').uniform())).size).toBe(seeds.length);
  });

  it.each([Number('99999999999999999999'), 2 ** 53, -(2 ** 53), 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'has no seed %d',
    (seed) => {
      const message = `the seed is ${seed}; allowed: integers from -9007199254740991 to 9007199254740991`;
      expect(() => Random.of(seed, 'x')).toThrow(new InputError(message));
      expect(() => deriveSeed(seed, 'x')).toThrow(new InputError(message));
    },
  );

  it('goes on from a saved state', () => {
    const random = Random.of(3, 'x');
    random.uniform();
    const saved = JSON.parse(JSON.stringify(random.state())) as number[];
    const numbers = [random.uniform(), random.normal(), random.below(7)];
    const restored = Random.restore(saved);
    expect([restored.uniform(), restored.normal(), restored.below(7)]).toEqual(numbers);
  });

  it.each([[[0, 0, 0, 0]], [[1, 2, 3]], [[1, 2, 3, 4, 5]], [[1, 2, 3, 0.5]], [[2 ** 31, 0, 0, 0]]])(
    'is not restored from %j',
    (state) => {
      expect(() => Random.restore(state)).toThrow(
        new RangeError(
          `a state of random numbers is [${state}]; allowed: four 32-bit integers, not all of them 0`,
        ),
      );
    },
  );

  it('is restored from a state with a single bit', () => {
    for (const state of [
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, -(2 ** 31), 0],
      [0, 0, 0, 2 ** 30],
    ])
      expect(Random.restore(state).state()).toEqual(state);
  });

  it('never starts from zeros, which xoroshiro128+ would repeat for ever', () => {
    expect(stateFrom(Buffer.alloc(32))).toEqual([0, 0, 0, 1]);
    expect(stateFrom(Buffer.from('00000000000000000000000000000080ff', 'hex'))).toEqual([
      0,
      0,
      0,
      -(2 ** 31),
    ]);
  });
});

describe('a derived seed', () => {
  it('has the first 53 bits of the SHA-256 of its seed and purpose', () => {
    // printf '7:trial 3' | sha256sum: 2939f2fa1ae26bd5..., as a little-endian integer shifted right by 11.
    expect(deriveSeed(7, 'trial 3')).toBe(Number(0xd56be21afaf23929n >> 11n));
  });

  it('is a safe integer, and another one for every seed', () => {
    const derived = Array.from({ length: 100_000 }, (_, seed) => deriveSeed(seed, 'trial 0'));
    expect(derived.every((seed) => Number.isSafeInteger(seed) && seed >= 0)).toBe(true);
    expect(new Set(derived).size).toBe(derived.length);
    expect(Math.max(...derived)).toBeGreaterThan(2 ** 52);
  });
});

/** Draws of each kind. The tolerances below are four standard errors. */
const DRAWS = 100_000;
const draw = <T>(one: (random: Random) => T): T[] => {
  const random = Random.of(1, 'moments');
  return Array.from({ length: DRAWS }, () => one(random));
};
const moment = (values: readonly number[], power: number) =>
  values.reduce((sum, value) => sum + value ** power, 0) / values.length;

describe('a uniform number', () => {
  it('lies in [0, 1), with mean 1/2 and variance 1/12', () => {
    const values = draw((random) => random.uniform());
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    // The variances are 1/12 of a draw and 1/180 of its squared distance from the mean.
    expect(Math.abs(moment(values, 1) - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / DRAWS));
    const centred = values.map((value) => value - 1 / 2);
    expect(Math.abs(moment(centred, 2) - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / DRAWS));
  });
});

describe('a normal number', () => {
  it('has mean 0, variance 1, skewness 0 and fourth moment 3', () => {
    const values = draw((random) => random.normal());
    // The variances of the first four powers: 1, 2, 15 and 96.
    expect(Math.abs(moment(values, 1))).toBeLessThan(4 * Math.sqrt(1 / DRAWS));
    expect(Math.abs(moment(values, 2) - 1)).toBeLessThan(4 * Math.sqrt(2 / DRAWS));
    expect(Math.abs(moment(values, 3))).toBeLessThan(4 * Math.sqrt(15 / DRAWS));
    expect(Math.abs(moment(values, 4) - 3)).toBeLessThan(4 * Math.sqrt(96 / DRAWS));
  });

  it('is made of two uniform numbers by Box and Muller', () => {
    const uniforms = Random.of(2, 'x');
    const [first, second] = [uniforms.uniform(), uniforms.uniform()];
    const expected = Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
    expect(Random.of(2, 'x').normal()).toBe(expected);
  });
});

/** Chi squared against equal counts: with k values its mean is k - 1 and its variance 2 (k - 1). */
function expectEven(counts: ReadonlyMap<unknown, number>, values: number): void {
  const expected = DRAWS / values;
  const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(counts.size).toBe(values);
  expect(chi2).toBeLessThanOrEqual(values - 1 + 4 * Math.sqrt(2 * (values - 1)));
}

function countsOf<T>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

describe('a random integer', () => {
  it.each([1, 2, 3, 10])('below %i is each of 0, 1, ... equally often', (n) => {
    const values = draw((random) => random.below(n));
    expect(new Set(values)).toEqual(new Set(Array(n).keys()));
    expectEven(countsOf(values), n);
  });

  it('can be as large as a safe integer', () => {
    const values = draw((random) => random.below(2 ** 53 - 1));
    expect(values.every((value) => Number.isSafeInteger(value) && value >= 0)).toBe(true);
    expect(Math.abs(moment(values, 1) / 2 ** 53 - 1 / 2)).toBeLessThan(4 * Math.sqrt(1 / 12 / DRAWS));
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 53])('is not drawn below %d', (n) => {
    expect(() => Random.of(1, 'x').below(n)).toThrow(
      new RangeError(`a random integer is drawn below ${n}; allowed: a positive safe integer`),
    );
  });
});

describe('a random order', () => {
  it('holds each of 0 .. n-1 once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 50 }), fc.integer(), (n, seed) => {
        expect([...Random.of(seed, 'order').permutation(n)].sort((a, b) => a - b)).toEqual([
          ...Array(n).keys(),
        ]);
      }),
    );
  });

  it('is made of n - 1 random integers by Fisher and Yates', () => {
    const [random, integers] = [Random.of(4, 'order'), Random.of(4, 'order')];
    const order = [0, 1, 2, 3, 4];
    for (const last of [4, 3, 2, 1]) {
      const other = integers.below(last + 1);
      [order[last], order[other]] = [order[other]!, order[last]!];
    }
    expect([...random.permutation(5)]).toEqual(order);
    expect(random.uniform()).toBe(integers.uniform());
  });

  it('is each of the n! equally often', () => {
    expectEven(countsOf(draw((random) => random.permutation(4).join())), 24);
  });
});
