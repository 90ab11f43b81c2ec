import {
  fromTypedArray,
  grad,
  manualSeed,
  randn,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { LocalContrastNorm } from '../../src/networks/zoph-cnn/local-contrast-norm.js';
import { expectGradients } from './finite-differences.js';

setThreads(1);

const norm = new LocalContrastNorm();

/** The output of the layer for one image [maps, height, width]. */
const normalised = (image: number[][][]) => scope(() => norm.forward(tensor([image], 'float64')).toNumbers());

const close = (values: readonly number[], expected: readonly number[], digits = 10) => {
  expect(values.length).toBe(expected.length);
  for (const [index, value] of values.entries()) expect(value).toBeCloseTo(expected[index]!, digits);
};

/** The formula evaluated literally, pixel by pixel. */
function reference(image: number[][][]): number[] {
  const height = image[0]!.length;
  const width = image[0]![0]!.length;
  const around = (value: (i: number, j: number, k: number) => number, j: number, k: number) => {
    let sum = 0;
    let total = 0;
    for (const i of image.keys())
      for (let p = -4; p <= 4; p++)
        for (let q = -4; q <= 4; q++) {
          if (j + p < 0 || j + p >= height || k + q < 0 || k + q >= width) continue;
          const weight = Math.exp(-(p ** 2 + q ** 2) / (2 * 2.25 ** 2));
          sum += weight * value(i, j + p, k + q);
          total += weight;
        }
    return sum / total;
  };
  const centred = image.map((map) =>
    map.map((row, j) => row.map((value, k) => value - around((i, y, x) => image[i]![y]![x]!, j, k))),
  );
  const deviation = image[0]!.map((row, j) =>
    row.map((_, k) => Math.sqrt(1e-5 + around((i, y, x) => centred[i]![y]![x]! ** 2, j, k))),
  );
  const c = deviation.flat().reduce((sum, value) => sum + value, 0) / (height * width);
  return centred.flatMap((map) =>
    map.flatMap((row, j) => row.map((v, k) => v / Math.max(c, deviation[j]![k]!))),
  );
}

describe('local contrast normalisation', () => {
  it('subtracts the mean over the maps and divides by their standard deviation', () => {
    // For one pixel, the mean of the two maps is 5: -3 and 3 divided by the root of 9 + 1e-5.
    close(
      normalised([[[2]], [[8]]]),
      [-3, 3].map((v) => v / Math.sqrt(9 + 1e-5)),
    );
  });

  it('weights the neighbourhood of a pixel by a Gaussian, rescaled to the part inside the image', () => {
    // Two pixels with weights 1 (centre) and g: the means are (4 + 6g) / (1 + g) and (6 + 4g) / (1 + g).
    const g = Math.exp(-1 / (2 * 2.25 ** 2));
    const v = 4 - (4 + 6 * g) / (1 + g);
    close(
      normalised([[[4, 6]]]),
      [v, -v].map((value) => value / Math.sqrt(v ** 2 + 1e-5)),
    );
  });

  it('divides by at least the mean standard deviation of the image', () => {
    const image = [
      Array.from({ length: 11 }, (_, j) => Array.from({ length: 10 }, (_, k) => (j + k === 0 ? 5 : 0))),
    ];
    const values = normalised(image);
    close(values, reference(image));
    // Far from the only bright pixel, contrast is not amplified.
    expect(Math.abs(values.at(-1)!)).toBeLessThan(1e-9);
  });

  it('agrees with the formula of the paper on any image', () => {
    manualSeed(1);
    for (const [maps, height, width] of [
      [1, 1, 12],
      [3, 6, 5],
      [2, 12, 11],
    ] as const) {
      const flat = scope(() => randn([maps * height * width], { dtype: 'float64' }).toNumbers());
      const image = Array.from({ length: maps }, (_, i) =>
        Array.from({ length: height }, (_, j) =>
          flat.slice((i * height + j) * width, (i * height + j + 1) * width),
        ),
      );
      close(normalised(image), reference(image));
    }
  });

  it('normalises each image independently, and maps a constant image to zeros', () => {
    const one = [[[1, 2], [3, 5]]]; // biome-ignore format: an image
    const flat = [[[7, 7], [7, 7]]]; // biome-ignore format: an image
    const both = scope(() => norm.forward(tensor([one, flat], 'float64')).toNumbers());
    close(both.slice(0, 4), normalised(one));
    close(both.slice(4), [0, 0, 0, 0]);
  });

  it('has a gradient that agrees with finite differences', () => {
    manualSeed(2);
    scope(() => {
      const images = randn([2, 3, 6, 5], { dtype: 'float64' });
      images.requiresGrad = true;
      const weights = randn([2, 3, 6, 5], { dtype: 'float64' });
      expectGradients(
        () => norm.forward(images).mul(weights).sum(),
        new Map<string, Tensor>([['images', images]]),
        180,
      );
    });
  });

  it('has a finite gradient for an image without contrast', () => {
    scope(() => {
      const image = fromTypedArray(new Float32Array(12), [1, 1, 3, 4]);
      image.requiresGrad = true;
      const [gradient] = grad(norm.forward(image).mul(image.add(1)).sum(), [image]) as [Tensor];
      expect(gradient.toNumbers().every(Number.isFinite)).toBe(true);
    });
  });
});
