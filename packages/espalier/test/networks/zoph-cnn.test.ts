import {
  backward,
  manualSeed,
  type nn,
  noGrad,
  randn,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isConvolution, type Pooling, type ZophCnn } from '../../src/networks/zoph-cnn/architecture.js';
import type { ConvolutionLayer } from '../../src/networks/zoph-cnn/convolution-layer.js';
import { ZophNetwork } from '../../src/networks/zoph-cnn/network.js';
import { PoolingLayer } from '../../src/networks/zoph-cnn/pooling-layer.js';
import { architectures, layer, mixedArchitectures, sizesOf } from './architectures.js';
import { expectGradients } from './finite-differences.js';

setThreads(1);

const shape = { channels: 1, height: 3, width: 3, classes: 1 };
const NINE = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9],
];

interface Weights {
  /** The weights of the convolutions, [filters, channels, height, width] each. */
  readonly convolutions: readonly number[][][][][];
  /** The shifts of batch norm, which is otherwise the identity. */
  readonly shifts?: readonly (readonly number[])[];
  readonly classifier: readonly (readonly number[])[];
  readonly bias?: readonly number[];
}

/** The logits of one image for a network with the given weights. */
function logits(architecture: ZophCnn, weights: Weights, image: number[][][], classes = 1): number[] {
  return scope(() =>
    noGrad(() => {
      const network = new ZophNetwork(architecture, {
        channels: image.length,
        height: image[0]!.length,
        width: image[0]![0]!.length,
        classes,
      }).eval();
      for (const [index, { conv, bn }] of (network.layers as readonly ConvolutionLayer[]).entries()) {
        conv.weight.copy_(tensor(weights.convolutions[index]!));
        // Normalisation divides by the root of variance plus epsilon, which is 1.
        bn.running_var!.fill_(1 - 1e-5);
        const shifts = weights.shifts?.[index];
        if (shifts !== undefined) bn.bias!.copy_(tensor(shifts));
      }
      network.classifier.weight.copy_(tensor(weights.classifier));
      network.classifier.bias!.copy_(tensor(weights.bias ?? weights.classifier.map(() => 0)));
      const values = network.forward(tensor([image])).toNumbers();
      network.free();
      return values;
    }),
  );
}

const kernel = (...rows: number[][]) => [[rows]];
const close = (values: readonly number[], expected: readonly number[]) => {
  expect(values.length).toBe(expected.length);
  for (const [index, value] of values.entries()) expect(value).toBeCloseTo(expected[index]!, 4);
};

describe('a network of zoph-cnn', () => {
  it('convolves, shifts, applies ReLU, averages over height and width, and classifies', () => {
    const architecture = { layers: [layer({ filters: 2 })] };
    // Filter 0 gives 2x. Filter 1 gives the positive part of 7 - 2x: 5, 3, 1 and six zeros, with mean 1.
    const values = logits(
      architecture,
      {
        convolutions: [[[[[2]]], [[[-2]]]]],
        shifts: [[0, 7]],
        classifier: [
          [1, 0],
          [3, 10],
        ],
        bias: [0.5, 0],
      },
      [NINE],
      2,
    );
    close(values, [10.5, 40]);
  });

  it('has filters of height x width, padded so that every pixel has an output', () => {
    const column = { layers: [layer({ filterHeight: 3 })] };
    // Each row sums itself (10), the row above (100) and the row below (1): the mean of 10 * 45, 100 * 21 and 1 * 39.
    close(logits(column, { convolutions: [kernel([100], [10], [1])], classifier: [[9]] }, [NINE]), [
      450 + 2100 + 39,
    ]);
    const row = { layers: [layer({ filterWidth: 3 })] };
    // Columns: 10 * 45, 100 * (12 + 15), 1 * (15 + 18).
    close(logits(row, { convolutions: [kernel([100, 10, 1])], classifier: [[9]] }, [NINE]), [
      450 + 2700 + 33,
    ]);
  });

  it('has separate strides for height and width', () => {
    const architecture = { layers: [layer({ strideHeight: 2 })] };
    // Rows 0 and 2 remain: sums 6 and 24 over 6 pixels.
    close(logits(architecture, { convolutions: [kernel([1])], classifier: [[6]] }, [NINE]), [30]);
    const both = { layers: [layer({ strideHeight: 3, strideWidth: 2 })] };
    // Pixels 1 and 3 remain.
    close(logits(both, { convolutions: [kernel([1])], classifier: [[2]] }, [NINE]), [4]);
  });

  it('feeds the image to layers without inputs, and all unread outputs to the classifier', () => {
    const architecture = { layers: [layer(), layer(), layer({ inputs: [0] })] };
    // Layer 1 reads the image (mean 5), and layer 2 reads layer 0 (2 * 3 * 5). The classifier does not read layer 0.
    close(
      logits(
        architecture,
        {
          convolutions: [kernel([2]), kernel([1]), kernel([3])],
          classifier: [
            [1, 0],
            [0, 1],
          ],
        },
        [NINE],
        2,
      ),
      [5, 30],
    );
  });

  it('concatenates several inputs in depth, in the order of the layers', () => {
    const architecture = { layers: [layer(), layer(), layer({ inputs: [0, 1] })] };
    const convolutions = [kernel([1]), kernel([10]), [[[[1]], [[100]]]]];
    // 1 * x + 100 * 10 x, with mean x = 5.
    close(logits(architecture, { convolutions, classifier: [[1]] }, [NINE]), [5005]);
  });

  /** A constant 3x3 filter. */
  const filled = (value: number) => Array.from({ length: 3 }, () => [value, value, value]);

  it('pads a smaller input with zeros on all sides to the size of the largest', () => {
    const architecture = {
      layers: [
        layer(),
        layer({ strideHeight: 3, strideWidth: 3 }),
        layer({ inputs: [0, 1], filterHeight: 3, filterWidth: 3 }),
      ],
    };
    const convolutions = [kernel([1]), kernel([1]), [[filled(0), filled(1)]]];
    // Layer 1 is a single pixel of value 1. All nine windows contain it in the middle of 3x3, but only four in a corner.
    close(logits(architecture, { convolutions, classifier: [[9]] }, [NINE]), [9]);
  });

  it('puts the larger half of odd padding below and to the right', () => {
    const architecture = {
      layers: [
        layer(),
        layer({ strideHeight: 2, strideWidth: 2 }),
        layer({ inputs: [0, 1], filterHeight: 3, filterWidth: 3 }),
      ],
    };
    const convolutions = [kernel([1]), kernel([1]), [[filled(0), filled(1)]]];
    // Pixels 1, 3, 7 and 9 in the upper left quarter: 4, 6, 6 and 9 windows contain them.
    close(logits(architecture, { convolutions, classifier: [[9]] }, [NINE]), [4 + 18 + 42 + 81]);
  });

  it('concatenates outputs of different sizes for the classifier, and averages over the padding as well', () => {
    const architecture = { layers: [layer(), layer({ strideHeight: 3, strideWidth: 3 })] };
    const identity = [
      [9, 0],
      [0, 9],
    ];
    close(
      logits(architecture, { convolutions: [kernel([1]), kernel([5])], classifier: identity }, [NINE], 2),
      [45, 5],
    );
  });

  it('initialises batch norm with scale 1 and shift 0', () => {
    const network = new ZophNetwork({ layers: [layer({ filters: 2 })] }, shape);
    const [{ conv, bn }] = network.layers as [ConvolutionLayer];
    expect(bn.weight!.toNumbers()).toEqual([1, 1]);
    expect(bn.bias!.toNumbers()).toEqual([0, 0]);
    expect(conv.bias).toBeUndefined();
    network.free();
  });

  it('has exactly the parameters of its convolutions, batch norms and classifier', () => {
    fc.assert(
      fc.property(mixedArchitectures, (architecture) => {
        const image = { channels: 3, height: 9, width: 7, classes: 4 };
        const network = new ZophNetwork(architecture, image);
        const { reads, features } = sizesOf(architecture, image);
        const layers = architecture.layers.map((layer, index) => {
          const { channels } = reads[index]!;
          if (layer.type === 'batch_norm') return 2 * channels;
          if (!isConvolution(layer)) return 0;
          const { filterHeight, filterWidth, filters } = layer;
          return channels * filterHeight * filterWidth * filters + 2 * filters;
        });
        const expected = layers.reduce((sum, count) => sum + count, features.channels * 4 + 4);
        expect(network.parameterCount()).toBe(expected);
        network.free();
      }),
      { numRuns: 50 },
    );
  });

  it('has finite logits and a gradient for every parameter, for any architecture', () => {
    fc.assert(
      fc.property(fc.oneof(architectures, mixedArchitectures), (architecture) => {
        manualSeed(1);
        const network = new ZophNetwork(architecture, { channels: 3, height: 8, width: 6, classes: 4 });
        scope(() => {
          const output = network.forward(randn([2, 3, 8, 6], { dtype: 'float32' }));
          expect(output.shape).toEqual([2, 4]);
          backward(output.crossEntropyLoss(tensor([0, 3], 'int64')));
          for (const [name, parameter] of network.namedParameters()) {
            expect(parameter.grad?.shape, name).toEqual(parameter.shape);
            expect(parameter.grad?.toNumbers().every(Number.isFinite), name).toBe(true);
          }
        });
        network.free();
      }),
      { numRuns: 30 },
    );
  });

  it('applies pooling, batch norm and local contrast norm to all the maps that they read', () => {
    const reads = { channels: 1, height: 3, width: 3, classes: 1 };
    const architecture: ZophCnn = {
      layers: [
        layer({ filters: 2 }),
        { type: 'max_pool', window: 3, stride: 2, inputs: [] },
        { type: 'avg_pool', window: 3, stride: 2, inputs: [] },
        { type: 'batch_norm', inputs: [1, 2] },
        { type: 'local_contrast_norm', inputs: [0, 3] },
      ],
    };
    const network = new ZophNetwork(architecture, reads).eval();
    scope(() =>
      noGrad(() => {
        const { conv, bn } = network.layers[0] as ConvolutionLayer;
        conv.weight.copy_(tensor([[[[1]]], [[[-1]]]]));
        bn.running_var!.fill_(1 - 1e-5);
        const norm = network.layers[3] as nn.BatchNorm2d;
        expect(norm.weight!.shape).toEqual([2]);
        norm.running_mean!.copy_(tensor([1, 2]));
        norm.running_var!.fill_(1 - 1e-5);
        expect(network.classifier.weight.shape).toEqual([1, 4]);
        const last = network.layers[4]!;
        let read: Tensor | undefined;
        const forward = last.forward.bind(last);
        last.forward = (input) => {
          read = input;
          return forward(input);
        };
        const logit = network.forward(tensor([[NINE]]));
        // The maxima of 1 2 4 5, of 2 3 5 6, ..., minus 1, and their means, minus 2; padded to 3x3 below and to the right.
        close(read!.toNumbers(), [
          ...[1, 2, 3, 4, 5, 6, 7, 8, 9],
          ...[0, 0, 0, 0, 0, 0, 0, 0, 0],
          ...[4, 5, 0, 7, 8, 0, 0, 0, 0],
          ...[1, 2, 0, 4, 5, 0, 0, 0, 0],
        ]);
        const features = forward(read!).adaptiveAvgPool2d(1).flatten(1);
        close(logit.toNumbers(), network.classifier.forward(features).toNumbers());
      }),
    );
    network.free();
  });

  it('has a gradient that agrees with finite differences, through every type of layer', () => {
    const architecture: ZophCnn = {
      layers: [
        layer({ filterHeight: 3, filters: 2 }),
        { type: 'avg_pool', window: 3, stride: 2, inputs: [0] },
        { type: 'local_contrast_norm', inputs: [0, 1] },
        { type: 'batch_norm', inputs: [2] },
        { type: 'max_pool', window: 2, stride: 1, inputs: [3] },
      ],
    };
    manualSeed(4);
    const network = new ZophNetwork(architecture, { channels: 2, height: 5, width: 4, classes: 3 }).to({
      dtype: 'float64',
    });
    scope(() => {
      const images = randn([3, 2, 5, 4], { dtype: 'float64' });
      const labels = tensor([0, 2, 1], 'int64');
      const parameters = new Map<string, Tensor>(network.namedParameters());
      expectGradients(() => network.forward(images).crossEntropyLoss(labels), parameters);
    });
    network.free();
  });

  it('has a gradient that agrees with finite differences, through skip connections, strides and padding', () => {
    const architecture = {
      layers: [
        layer({ filterHeight: 3, filters: 2 }),
        layer({ filterWidth: 3, filters: 2, strideHeight: 2, inputs: [0] }),
        layer({ filterHeight: 3, filterWidth: 3, filters: 2, strideWidth: 2, inputs: [0, 1] }),
        layer({ filters: 1 }),
      ],
    };
    manualSeed(3);
    const network = new ZophNetwork(architecture, { channels: 2, height: 5, width: 4, classes: 3 }).to({
      dtype: 'float64',
    });
    scope(() => {
      const images = randn([3, 2, 5, 4], { dtype: 'float64' });
      const labels = tensor([0, 2, 1], 'int64');
      const parameters = new Map<string, Tensor>(network.namedParameters());
      expectGradients(() => network.forward(images).crossEntropyLoss(labels), parameters);
    });
    network.free();
  });
});

describe('pooling', () => {
  const pooled = (pooling: Pooling, map: number[][]) =>
    scope(() => {
      const output = new PoolingLayer(pooling).forward(tensor([[map]]));
      return { shape: output.shape.slice(2), values: output.toNumbers() };
    });

  it('preserves the size with an odd window, and ignores everything outside the map', () => {
    expect(pooled({ type: 'max_pool', window: 3, stride: 1 }, [[-1, -2, -3, -4]])).toEqual({
      shape: [1, 4],
      values: [-1, -1, -2, -3],
    });
    expect(pooled({ type: 'avg_pool', window: 3, stride: 1 }, NINE)).toEqual({
      shape: [3, 3],
      values: [3, 3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7],
    });
    expect(pooled({ type: 'avg_pool', window: 3, stride: 2 }, NINE)).toEqual({
      shape: [2, 2],
      values: [3, 4, 6, 7],
    });
  });

  it('halves the size with window and stride 2, and keeps a single pixel unchanged', () => {
    const map = [
      [1, 2, 3, 4],
      [5, 6, 7, 0],
    ];
    expect(pooled({ type: 'max_pool', window: 2, stride: 2 }, map)).toEqual({
      shape: [1, 2],
      values: [6, 7],
    });
    expect(pooled({ type: 'avg_pool', window: 2, stride: 2 }, map)).toEqual({
      shape: [1, 2],
      values: [3.5, 3.5],
    });
    for (const window of [1, 2, 3, 4, 7])
      for (const type of ['max_pool', 'avg_pool'] as const)
        expect(pooled({ type, window, stride: 2 }, [[8]])).toEqual({ shape: [1, 1], values: [8] });
  });
});
