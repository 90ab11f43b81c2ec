import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelStatistics } from '../../src/data/statistics.js';
import { InputError } from '../../src/input-error.js';
import { tinySet } from './tiny-set.js';

describe('channel statistics', () => {
  it('are the mean and population deviation of each channel, in units of 255', () => {
    // Channel 0: 0, 255, 0, 255. Channel 1: 51, 51, 102, 204: mean 102, deviations 51, 51, 0, 102.
    const set = tinySet([2, 1, 2, 2], [0, 51, 255, 51, 0, 102, 255, 204]);
    const { mean, standardDeviation } = channelStatistics(set);
    expect([...mean]).toEqual([0.5, 0.4]);
    expect([...standardDeviation]).toEqual([0.5, Math.sqrt((51 ** 2 + 51 ** 2 + 102 ** 2) / 4) / 255]);
  });

  it('agree with sums over the pixels in the order they come', () => {
    const pixel = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.array(fc.tuple(pixel, pixel, pixel), { minLength: 2, maxLength: 60 }), (pixels) => {
        fc.pre([0, 1, 2].every((c) => new Set(pixels.map((p) => p[c])).size > 1));
        const { mean, standardDeviation } = channelStatistics(
          tinySet([pixels.length, 1, 1, 3], pixels.flat()),
        );
        for (let c = 0; c < 3; c++) {
          const values = pixels.map((p) => p[c]! / 255);
          const average = values.reduce((a, b) => a + b) / values.length;
          const variance = values.reduce((sum, v) => sum + (v - average) ** 2, 0) / values.length;
          expect(mean[c]).toBeCloseTo(average, 12);
          expect(standardDeviation[c]).toBeCloseTo(Math.sqrt(variance), 12);
        }
      }),
    );
  });

  it('refuse a channel that is the same everywhere, and no images', () => {
    const flat = tinySet([2, 1, 1, 2], [1, 7, 2, 7]);
    expect(() => channelStatistics(flat)).toThrow(
      new InputError(
        'channel 1 of the 2 training images has the value 7 in every pixel: ' +
          'images must differ in every channel to be standardised',
      ),
    );
    expect(() => channelStatistics(tinySet([0, 1, 1, 1], []))).toThrow(InputError);
  });
});
