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

  it('does them in every order', () => {
    // Saturation 0 and hue commute with nothing else: the orders of a strength of 1 give other images.
    const orders = new Set(
      Array.from({ length: 200 }, (_, seed) => {
        const random = Random.of(seed, 'colours');
        for (let drawn = 0; drawn < 4; drawn++) random.uniform();
        return random.permutation(4).join();
      }),
    );
    expect(orders.size).toBe(24);
  });
});
