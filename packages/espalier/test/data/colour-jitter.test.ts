import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  jitterColours,
  scaleBrightness,
  scaleContrast,
  scaleSaturation,
  turnHue,
} from '../../src/data/colour-jitter.js';
import { Random } from '../../src/random/random.js';
import { scrambled } from './tiny-set.js';

/** Made by fixtures/make-colours.py with Pillow. */
const pillow = JSON.parse(readFileSync(new URL('fixtures/colours.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, number[]>
> & { image: number[] };

const changes = {
  brightness: scaleBrightness,
  contrast: scaleContrast,
  saturation: scaleSaturation,
  hue: turnHue,
};

describe('a change of colours', () => {
  const cases = Object.entries(changes).flatMap(([name, change]) =>
    Object.entries(pillow[name]!).map(([by, expected]) => ({ name, by, change, expected })),
  );
  it.each(cases)("of $name by $by gives Pillow's pixels", ({ change, by, expected }) => {
    const pixels = Uint8Array.from(pillow.image);
    change(pixels, Number(by));
    expect([...pixels]).toEqual(expected);
  });
});

describe('the jitter of colours', () => {
  const image = scrambled(300);
  const jittered = (seed: number, strength: number, hue: number) => {
    const pixels = Uint8Array.from(image);
    jitterColours(pixels, Random.of(seed, 'colours'), { strength, hue });
    return [...pixels];
  };

  it('is the same for the same seed and another for another', () => {
    expect(jittered(1, 0.4, 0.2)).toEqual(jittered(1, 0.4, 0.2));
    expect(jittered(1, 0.4, 0.2)).not.toEqual(jittered(2, 0.4, 0.2));
  });

  it('draws the factors up to its strength on both sides of 1', () => {
    // Of a grey image, whose mean is its only value, brightness is all that changes.
    const drawn = Array.from({ length: 200 }, (_, seed) => {
      const pixels = new Uint8Array(3).fill(100);
      jitterColours(pixels, Random.of(seed, 'colours'), { strength: 0.4, hue: 0.2 });
      return pixels[0]!;
    });
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(60);
    expect(Math.min(...drawn)).toBeLessThan(63);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(140);
    expect(Math.max(...drawn)).toBeGreaterThan(137);
  });

  it('makes the four changes in every order', () => {
    const orders = permutations(Object.values(changes));
    const seen = new Set<number>();
    for (let seed = 0; seed < 300; seed++) {
      const random = Random.of(seed, 'colours');
      const factors = [0, 1, 2].map(() => 0.6 + random.uniform() * (1.4 - 0.6));
      const by = new Map([...Object.values(changes)].map((change, i) => [change, factors[i]!]));
      by.set(turnHue, (2 * random.uniform() - 1) * 0.2);
      const jitter = jittered(seed, 0.4, 0.2).join();
      const explaining = [...orders.keys()].filter((order) => {
        const pixels = Uint8Array.from(image);
        for (const change of orders[order]!) change(pixels, by.get(change)!);
        return pixels.join() === jitter;
      });
      expect(explaining.length, `seed ${seed}`).toBeGreaterThan(0);
      if (explaining.length === 1) seen.add(explaining[0]!);
    }
    expect(seen.size).toBe(24);
  });
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}
