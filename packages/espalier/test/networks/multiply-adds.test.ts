import { nn, setThreads } from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multiplyAdds, multiplyAddsOfOperator } from '../../src/networks/multiply-adds.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { isConvolution } from '../../src/networks/zoph-cnn/architecture.js';
import { ZophNetwork } from '../../src/networks/zoph-cnn/network.js';
import { mixedArchitectures, sizesOf } from './architectures.js';

setThreads(1);

const image = { channels: 4, height: 6, width: 5, classes: 3 };

function counted(network: nn.Layer): number {
  const macs = multiplyAdds(traceClassifier(network, image).calls);
  network.free();
  return macs;
}

describe('multiply-adds', () => {
  it('of a convolution: outputs times the weights of one filter, with strides and padding', () => {
    expect(counted(new nn.Conv2d(4, 7, 3, { padding: 1 }))).toBe(6 * 5 * 7 * (4 * 3 * 3));
    expect(counted(new nn.Conv2d(4, 7, [3, 5], { stride: [2, 1], padding: [1, 2] }))).toBe(
      3 * 5 * 7 * (4 * 3 * 5),
    );
  });

  it('of grouped and depthwise convolutions: only the channels of the group', () => {
    expect(counted(new nn.Conv2d(4, 6, 1, { groups: 2 }))).toBe(6 * 5 * 6 * 2);
    expect(counted(new nn.Conv2d(4, 4, 3, { groups: 4, padding: 1 }))).toBe(6 * 5 * 4 * 9);
  });

  it('of a linear layer: inputs times outputs; bias, normalisation, activation and pooling cost nothing', () => {
    const network = new nn.Sequential(
      new nn.BatchNorm2d(4),
      new nn.ReLU(),
      new nn.AdaptiveAvgPool2d(1),
      new nn.Flatten(),
      new nn.Dropout(0.5),
      new nn.Linear(4, 3),
    );
    expect(counted(network)).toBe(12);
  });

  it('of a kernel for several separable convolutions: those of the depthwise and the pointwise ones', () => {
    // Two of 3x3 from 4 channels to 6, side by side, with the factors and terms of batch norm.
    const shapes = [[5, 4, 8, 8], [4], [4], [4, 1, 3, 3], [4, 1, 3, 3], [6, 4, 1, 1], [6, 4, 1, 1], [6], [6]];
    expect(multiplyAddsOfOperator('espalier::relu_conv_norm', shapes, [[5, 12, 4, 4], [12], [12]])).toBe(
      2 * (5 * 16 * 4 * 9 + 5 * 16 * 6 * 4),
    );
  });

  it('of a kernel for several kinds of them, each from an image of its own', () => {
    const images = [[5, 4, 8, 8], [5, 4, 8, 8], [4], [4], [4], [4]];
    const weights = [
      [4, 1, 3, 3],
      [4, 1, 5, 5],
      [6, 4, 1, 1],
      [6, 4, 1, 1],
    ];
    const results = [[5, 6, 8, 8], [6], [6], [5, 6, 8, 8], [6], [6]];
    expect(multiplyAddsOfOperator('espalier::relu_conv_norm', [...images, ...weights], results)).toBe(
      5 * 64 * (4 * 9 + 4 * 25 + 2 * 6 * 4),
    );
    const pointwise = [
      [5, 4, 8, 8],
      [6, 4, 1, 1],
      [6, 4, 1, 1],
    ];
    expect(multiplyAddsOfOperator('espalier::relu_conv_norm', pointwise, [[5, 12, 8, 8]])).toBe(
      5 * 64 * 2 * 6 * 4,
    );
  });

  it('of a kernel for matrix products: a sum over the columns of the left side for each value', () => {
    expect(multiplyAddsOfOperator('espalier::matmul', [[7, 3, 5], [9, 5], [9]], [[7, 3, 9]])).toBe(
      7 * 3 * 9 * 5,
    );
  });

  it('of the networks of zoph-cnn: the sum over the convolutions by their sizes', () => {
    fc.assert(
      fc.property(mixedArchitectures, (architecture) => {
        const { layers, reads, features } = sizesOf(architecture, image);
        const convolutions = architecture.layers.map((layer, index) => {
          if (!isConvolution(layer)) return 0;
          const { filterHeight, filterWidth, filters } = layer;
          const pixels = layers[index]!.height * layers[index]!.width;
          return pixels * filters * reads[index]!.channels * filterHeight * filterWidth;
        });
        const expected = convolutions.reduce((sum, macs) => sum + macs, features.channels * image.classes);
        expect(counted(new ZophNetwork(architecture, image))).toBe(expected);
      }),
      { numRuns: 50 },
    );
  });
});
