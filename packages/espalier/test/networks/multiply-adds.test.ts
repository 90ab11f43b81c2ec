import { fromTypedArray, nn, setThreads, type Tensor } from '@espalier/torch';
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

class Applied extends nn.Layer {
  constructor(private readonly body: (image: Tensor) => Tensor) {
    super();
  }

  forward(image: Tensor): Tensor {
    return this.body(image);
  }
}

describe('multiply-adds', () => {
  it('of a convolution are the outputs times the weights of one filter, with strides and padding', () => {
    expect(counted(new nn.Conv2d(4, 7, 3, { padding: 1 }))).toBe(6 * 5 * 7 * (4 * 3 * 3));
    expect(counted(new nn.Conv2d(4, 7, [3, 5], { stride: [2, 1], padding: [1, 2] }))).toBe(
      3 * 5 * 7 * (4 * 3 * 5),
    );
  });

  it('of grouped and depthwise convolutions cover only the channels of the group', () => {
    expect(counted(new nn.Conv2d(4, 6, 1, { groups: 2 }))).toBe(6 * 5 * 6 * 2);
    expect(counted(new nn.Conv2d(4, 4, 3, { groups: 4, padding: 1 }))).toBe(6 * 5 * 4 * 9);
  });

  it('of a linear layer are inputs times outputs; bias, normalisation, activation and pooling count as zero', () => {
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

  it('of a kernel for several separable convolutions are those of the depthwise and pointwise convolutions', () => {
    // Two 3x3 convolutions from 4 to 6 channels in parallel, with the scales and shifts of batch norm.
    const shapes = [[5, 4, 8, 8], [4], [4], [4, 1, 3, 3], [4, 1, 3, 3], [6, 4, 1, 1], [6, 4, 1, 1], [6], [6]];
    expect(multiplyAddsOfOperator('espalier::relu_conv_norm', shapes, [[5, 12, 4, 4], [12], [12]])).toBe(
      2 * (5 * 16 * 4 * 9 + 5 * 16 * 6 * 4),
    );
  });

  it('of a kernel for several kinds of separable convolutions, each with its own input, are their sum', () => {
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

  it('of a kernel for matrix products are a sum over the columns of the left matrix for each element', () => {
    expect(multiplyAddsOfOperator('espalier::matmul', [[7, 3, 5], [9, 5], [9]], [[7, 3, 9]])).toBe(
      7 * 3 * 9 * 5,
    );
  });

  it('of a transposed convolution are the values that it reads times the weights of one input channel', () => {
    expect(counted(new nn.ConvTranspose2d(4, 7, 3))).toBe(6 * 5 * 4 * (7 * 3 * 3));
    const options = {
      stride: [2, 3],
      padding: [1, 0],
      outputPadding: [1, 2],
      dilation: [2, 1],
      groups: 2,
    } as const;
    expect(counted(new nn.ConvTranspose2d(4, 6, [3, 2], options))).toBe(6 * 5 * 4 * (3 * 3 * 2));
    const behind = new nn.Sequential(new nn.Conv2d(4, 2, 1), new nn.ConvTranspose2d(2, 3, 2, { stride: 2 }));
    expect(counted(behind)).toBe(6 * 5 * (2 * 4 + 2 * 3 * 2 * 2));
    expect(multiplyAddsOfOperator('aten::conv_transpose2d', [[5, 4, 6, 7], [4, 3, 2, 2], [3]], [])).toBe(0);
    expect(
      multiplyAddsOfOperator('aten::conv_transpose2d', [[5, 4, 6, 7], [4, 3, 2, 2], [3]], [[5, 3, 7, 8]]),
    ).toBe(5 * 4 * 6 * 7 * 3 * 2 * 2);
  });

  it.each<[operator: string, arguments_: number[][], result: number[], expected: number]>([
    [
      'mm',
      [
        [3, 5],
        [5, 7],
      ],
      [3, 7],
      3 * 7 * 5,
    ],
    [
      'bmm',
      [
        [2, 3, 5],
        [2, 5, 7],
      ],
      [2, 3, 7],
      2 * 3 * 7 * 5,
    ],
    [
      'matmul',
      [
        [2, 6, 3, 5],
        [2, 6, 5, 7],
      ],
      [2, 6, 3, 7],
      2 * 6 * 3 * 7 * 5,
    ],
    ['matmul', [[3, 5], [5]], [3], 3 * 5],
    ['matmul', [[5], [5, 7]], [7], 7 * 5],
    ['mv', [[3, 5], [5]], [3], 3 * 5],
    ['dot', [[5], [5]], [], 5],
    ['addmm', [[7], [3, 5], [5, 7]], [3, 7], 3 * 7 * 5],
    [
      'baddbmm',
      [
        [2, 1, 7],
        [2, 3, 5],
        [2, 5, 7],
      ],
      [2, 3, 7],
      2 * 3 * 7 * 5,
    ],
    ['lstm_cell', [[2, 3], [2, 5], [2, 5], [20, 3], [20, 5], [20], [20]], [2, 5], 2 * (20 * 3 + 20 * 5)],
    ['gru_cell', [[2, 3], [2, 5], [15, 3], [15, 5], [15], [15]], [2, 5], 2 * (15 * 3 + 15 * 5)],
    ['softmax', [[3, 5]], [3, 5], 0],
  ])('of %s with arguments %j: by hand', (operator, shapes, result, expected) => {
    expect(multiplyAddsOfOperator(`aten::${operator}`, shapes, [result])).toBe(expected);
  });

  it('of products with what the network is given are the same from either side', () => {
    const given = (body: (image: Tensor) => Tensor) => counted(new Applied(body));
    const square = fromTypedArray(new Float32Array(25), [5, 5]);
    expect(given((x) => x.matmul(square))).toBe(4 * 6 * 5 * 5);
    expect(given((x) => square.matmul(x.transpose(2, 3)))).toBe(4 * 5 * 6 * 5);
    expect(given((x) => x.transpose(2, 3).matmul(x))).toBe(4 * 5 * 5 * 6);
    expect(given((x) => x.matmul(fromTypedArray(new Float32Array(5), [5])))).toBe(4 * 6 * 5);
  });

  it('of multi-head attention are those of its projections and of its two products', () => {
    const [length, dimensions, heads] = [30, 4, 2];
    const attention = new nn.MultiheadAttention(dimensions, heads);
    const network = new nn.Sequential(new Applied((x) => x.flatten(2).transpose(1, 2)), attention);
    expect(counted(network)).toBe(4 * length * dimensions ** 2 + 2 * length ** 2 * dimensions);
  });

  it('of zoph-cnn networks are the sum over the convolutions, computed from their sizes', () => {
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
