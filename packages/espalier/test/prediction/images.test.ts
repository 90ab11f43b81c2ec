import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromTypedArray, scope, setThreads, type Tensor, upsampleBilinear2dAa } from '@espalier/torch';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { evaluationView } from '../../src/prediction/evaluation-view.js';
import { readImage } from '../../src/prediction/image-file.js';
import { suiteFolder } from '../cli/suite-folder.js';

setThreads(1);

const folder = suiteFolder();
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** The bytes that Pillow saved (fixtures/make-images.py), channel by channel. */
async function pillow(name: string): Promise<number[]> {
  const { data, info } = await sharp(fixture(name)).raw().toBuffer({ resolveWithObject: true });
  const { height, width, channels } = info;
  const planes = fromTypedArray(new Uint8Array(data), [height, width, channels]).permute([2, 0, 1]);
  return planes.toNumbers();
}

const RAW = { mean: Float64Array.of(0, 0, 0), standardDeviation: Float64Array.of(1 / 255, 1 / 255, 1 / 255) };

const largestDifference = (a: Tensor, b: readonly number[]) => {
  expect(a.size).toBe(b.length);
  return Math.max(...a.toNumbers().map((value, i) => Math.abs(value - b[i]!)));
};

describe('an image', () => {
  it.each(['transparent.png', 'palette.png', 'grey.png', 'turned.jpg'])(
    'has the pixels that Pillow reads: %s',
    async (name) => {
      const image = await readImage(fixture(name), 3);
      expect(image.shape).toEqual([1, 3, 9, 8]);
      expect(image.toNumbers()).toEqual(await pillow(name.replace(/\.\w+$/, '-opened.png')));
    },
  );

  it("is made grey for a network of one channel, as by Pillow's convert", async () => {
    const image = await readImage(fixture('wide.png'), 1);
    expect(image.shape).toEqual([1, 1, 60, 93]);
    // The decoder gives a grey file as three equal channels.
    expect(image.toNumbers()).toEqual((await pillow('wide-opened.png')).slice(0, 60 * 93));
  });

  it('is in memory as bytes, which are a quarter of the floats', async () => {
    expect((await readImage(fixture('wide.png'), 3)).dtype).toBe('uint8');
  });

  it('of a damaged file is read with a warning, once', async () => {
    const entries = new URL('../data/fixtures/image-files.json', import.meta.url);
    const { 'data-missing.jpg': entry } = JSON.parse(readFileSync(entries, 'utf8'));
    const file = join(folder, 'damaged.jpg');
    writeFileSync(file, Buffer.from(entry.file, 'base64'));
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    try {
      await readImage(file, 3);
      const image = await readImage(file, 3);
      expect(image.permute([0, 2, 3, 1]).toNumbers()).toEqual([...Buffer.from(entry.pixels, 'base64')]);
      expect(warned.mock.calls).toEqual([
        [`${file}: the image file is damaged, and is used as far as it can be decoded`],
      ]);
    } finally {
      warned.mockRestore();
    }
  });

  it('is refused where it is none, cut off, or for a network of other channels', async () => {
    const allowed =
      'expected an image (PNG, JPEG, WebP, GIF, TIFF, BMP, PPM or PGM) or a tensor in a .safetensors file';
    const text = join(folder, 'text.png');
    writeFileSync(text, '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>');
    await expect(readImage(text, 3)).rejects.toThrow(
      new InputError(`${text}: has no known image format; ${allowed}`),
    );
    const nowhere = join(folder, 'nowhere.png');
    await expect(readImage(nowhere, 3)).rejects.toThrow(
      new InputError(`${nowhere}: does not exist; ${allowed}`),
    );
    const cut = join(folder, 'cut.png');
    writeFileSync(cut, (await sharp(fixture('wide.png')).png().toBuffer()).subarray(0, 3000));
    await expect(readImage(cut, 3)).rejects.toThrow(
      new InputError(`${cut}: is a damaged or incomplete PNG file`),
    );
    await expect(readImage(fixture('wide.png'), 2)).rejects.toThrow(
      'the network reads images of 2 channels, and an image file has 1 or 3',
    );
  });
});

describe('the view of an image in evaluation', () => {
  it.each(['wide.png', 'tall.jpg', 'small.png'])(
    "is Pillow's resized and cropped one, but for its rounding: %s",
    async (name) => {
      const view = evaluationView(
        await readImage(fixture(name), 3),
        { height: 32, width: 32, margin: 256 / 224 },
        RAW,
      );
      expect(view.shape).toEqual([1, 3, 32, 32]);
      expect(
        largestDifference(view, await pillow(name.replace(/\.\w+$/, '-evaluated.png'))),
      ).toBeLessThanOrEqual(1.001);
    },
  );

  it('is the image itself, standardised channel by channel, where it has the size', async () => {
    const image = fromTypedArray(Float32Array.of(0, 255, 51, 102, 255, 0), [1, 3, 1, 2]);
    const statistics = {
      mean: Float64Array.of(0.5, 0.2, 0),
      standardDeviation: Float64Array.of(0.5, 0.1, 2),
    };
    const view = evaluationView(image, { height: 1, width: 2, margin: 1 }, statistics).toNumbers();
    for (const [i, value] of [-1, 1, 0, 2, 0.5, 0].entries()) expect(view[i]).toBeCloseTo(value, 6);
  });

  it('of bytes is that of floats, and that of a large image is not changed by its bands', () => {
    // 19 million pixels, more than are converted at a time.
    const [height, width] = [3100, 6200];
    const bytes = new Uint8Array(height * width);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i, 2_654_435_761) >>> 24;
    const image = fromTypedArray(bytes, [1, height, width, 1]).permute([0, 3, 1, 2]);
    const one = { mean: Float64Array.of(0.3), standardDeviation: Float64Array.of(0.7) };
    const view = evaluationView(image, { height: 5, width: 7, margin: 256 / 224 }, one);
    // Resized to 6x12 at once; the crop begins at row 0.5 and column 2.5, which are rounded to 0 and 2.
    const whole = scope(() =>
      upsampleBilinear2dAa(image.to({ dtype: 'float32' }), [6, 12], false)
        .round()
        .narrow(2, 0, 5)
        .narrow(3, 2, 7)
        .div(255)
        .sub(fromTypedArray(Float32Array.of(0.3), [1]))
        .div(fromTypedArray(Float32Array.of(0.7), [1])),
    );
    expect(view.toNumbers()).toEqual(whole.toNumbers());
  });

  it('is refused for an image so elongated that it would fill the memory', () => {
    const line = fromTypedArray(new Uint8Array(60_000), [1, 1, 60_000, 1]);
    const one = { mean: Float64Array.of(0), standardDeviation: Float64Array.of(1) };
    expect(() => evaluationView(line, { height: 32, width: 32, margin: 256 / 224 }, one)).toThrow(
      new InputError(
        'an image of 1 x 60000 pixels would be resized to 37 x 2220000; at most 67,108,864 pixels are allowed',
      ),
    );
  });

  it('is filled by the side that is shorter for its shape', async () => {
    // Of 2x6 for 2x2: the middle two columns. Of 4x2 for 1x2: not resized, a row of the middle.
    const columns = fromTypedArray(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), [1, 1, 2, 6]);
    const one = { mean: Float64Array.of(0), standardDeviation: Float64Array.of(1 / 255) };
    const seen = (image: Tensor, height: number, width: number) =>
      evaluationView(image, { height, width, margin: 1 }, one).toNumbers().map(Math.round);
    expect(seen(columns, 2, 2)).toEqual([2, 3, 8, 9]);
    const rows = fromTypedArray(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7), [1, 1, 4, 2]);
    // The crop would begin at row 1.5, which is rounded to 2.
    expect(seen(rows, 1, 2)).toEqual([4, 5]);
  });
});
