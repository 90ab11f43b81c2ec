import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage, viewImage } from '../../src/data/decode-image.js';
import { centreView, drawPart, EVALUATION_MARGIN } from '../../src/data/view.js';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';

const fixture = (name: string) => fileURLToPath(new URL(`../prediction/fixtures/${name}`, import.meta.url));

describe('the part of an image that is trained on', () => {
  const draw = (count: number, height: number, width: number, least = 0.08) => {
    const random = Random.of(3, 'parts');
    return Array.from({ length: count }, () => drawPart(random, { height, width }, least));
  };

  it('lies inside of the image, whatever its size', () => {
    fc.assert(
      fc.property(
        fc.nat(1000),
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 90 }),
        (seed, height, width) => {
          const part = drawPart(Random.of(seed, 'parts'), { height, width }, 0.08);
          expect(Math.min(part.top, part.left)).toBeGreaterThanOrEqual(0);
          expect(Math.min(part.height, part.width)).toBeGreaterThanOrEqual(1);
          expect(part.top + part.height).toBeLessThanOrEqual(height);
          expect(part.left + part.width).toBeLessThanOrEqual(width);
        },
      ),
    );
  });

  it('has from 8% of the area to all of it, and sides of 3 to 4 up to 4 to 3', () => {
    const parts = draw(3000, 400, 400);
    const areas = parts.map(({ height, width }) => (height * width) / 160_000);
    const ratios = parts.map(({ height, width }) => width / height);
    expect(Math.min(...areas)).toBeCloseTo(0.08, 2);
    expect(Math.max(...areas)).toBeGreaterThan(0.95);
    expect(Math.min(...ratios)).toBeCloseTo(3 / 4, 1);
    expect(Math.max(...ratios)).toBeCloseTo(4 / 3, 1);
    // As many are wide as are tall: the ratio is even on a logarithmic scale. Binomial, deviation 27.
    expect(Math.abs(ratios.filter((ratio) => ratio > 1).length - 1500)).toBeLessThan(140);
  });

  it('is the middle of the allowed shape, where nothing else fits', () => {
    // Of a strip of 10 pixels in height no part has 8% of the area with sides of 4 to 3.
    expect(draw(3, 10, 1000)).toEqual(new Array(3).fill({ top: 0, left: 493, height: 10, width: 13 }));
    expect(draw(3, 1000, 10)).toEqual(new Array(3).fill({ top: 493, left: 0, height: 13, width: 10 }));
  });
});

describe('the middle of an image', () => {
  it('is of the shorter side resized to 8/7 of the crop', () => {
    const size = { height: 224, width: 224 };
    expect(centreView({ height: 375, width: 500 }, size, EVALUATION_MARGIN)).toEqual({
      resized: { height: 256, width: 341 },
      // 58.5 and 16: half a pixel goes to the even one.
      crop: { top: 16, left: 58, ...size },
      mirrored: false,
    });
    expect(centreView({ height: 500, width: 375 }, size, EVALUATION_MARGIN)).toMatchObject({
      resized: { height: 341, width: 256 },
    });
  });

  it('of an image that would become too large is refused', () => {
    const size = { height: 224, width: 224 };
    expect(() => centreView({ height: 1025, width: 1 }, size, EVALUATION_MARGIN)).toThrow(
      new InputError(
        'an image of 1 x 1025 pixels would be resized to 256 x 262400; at most 67,108,864 pixels are allowed',
      ),
    );
    expect(centreView({ height: 1, width: 1024 }, size, EVALUATION_MARGIN).resized).toEqual({
      height: 256,
      width: 262_144,
    });
  });

  it.each([
    // Noise of one in 255 where it gets smaller; libvips enlarges by other weights than Pillow.
    ['wide.png', 2],
    ['tall.jpg', 2],
    ['small.png', 8],
  ])('has the pixels that Pillow and torchvision show of %s', async (name, most) => {
    const image = await decodeImage(fixture(name));
    const shown = await viewImage(image, centreView(image, { height: 32, width: 32 }, EVALUATION_MARGIN));
    const expected = await sharp(fixture(name.replace(/\.\w+$/, '-evaluated.png')))
      .raw()
      .toBuffer();
    expect(shown).toHaveLength(32 * 32 * 3);
    expect(Math.max(...shown.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThanOrEqual(most);
  });
});

describe('a view', () => {
  // Each pixel says where it is: red its row, green its column.
  const [height, width] = [6, 9];
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return [10 * Math.floor(pixel / width), 10 * (pixel % width), 7][i % 3]!;
  });
  const image = { data, height, width };

  it('of a part in its own size is the pixels of the part', async () => {
    const part = { top: 2, left: 3, height: 2, width: 3 };
    const shown = await viewImage(image, { part, resized: { height: 2, width: 3 }, mirrored: false });
    expect([...shown]).toEqual([...[20, 30, 7, 20, 40, 7, 20, 50, 7], ...[30, 30, 7, 30, 40, 7, 30, 50, 7]]);
  });

  it('is mirrored after its part is taken', async () => {
    const part = { top: 0, left: 0, height: 1, width: 3 };
    const shown = await viewImage(image, { part, resized: { height: 1, width: 3 }, mirrored: true });
    expect([...shown]).toEqual([0, 20, 7, 0, 10, 7, 0, 0, 7]);
  });

  it('is cropped after it is resized', async () => {
    const shown = await viewImage(image, {
      resized: { height, width },
      crop: { top: 5, left: 7, height: 1, width: 2 },
      mirrored: false,
    });
    expect([...shown]).toEqual([50, 70, 7, 50, 80, 7]);
  });
});
