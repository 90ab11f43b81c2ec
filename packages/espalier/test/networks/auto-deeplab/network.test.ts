import {
  backward,
  manualSeed,
  noGrad,
  ones,
  randn,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AutoDeepLab, Block } from '../../../src/networks/auto-deeplab/architecture.js';
import { Cell } from '../../../src/networks/auto-deeplab/cell.js';
import { AutoDeepLabNetwork, type AutoDeepLabWidths } from '../../../src/networks/auto-deeplab/network.js';
import type { OperationName } from '../../../src/networks/auto-deeplab/operations.js';
import { SpatialPyramid } from '../../../src/networks/auto-deeplab/spatial-pyramid.js';
import { multiplyAdds } from '../../../src/networks/multiply-adds.js';
import { traceClassifier } from '../../../src/networks/operator-trace.js';
import { Random } from '../../../src/random/random.js';
import { Space } from '../../../src/space/space.js';
import { autoDeepLab } from '../../../src/spaces/auto-deeplab.js';
import { expectGradients } from '../finite-differences.js';

setThreads(1);

/** The published cell. */
const CELL: readonly Block[] = [
  [1, 0, 'atrous_conv_5x5', 'sep_conv_3x3'],
  [1, 0, 'sep_conv_3x3', 'atrous_conv_3x3'],
  [3, 1, 'sep_conv_3x3', 'sep_conv_3x3'],
  [4, 2, 'sep_conv_5x5', 'sep_conv_5x5'],
  [3, 5, 'sep_conv_5x5', 'atrous_conv_5x5'],
];

const architectures = fc
  .record({
    layers: fc.integer({ min: 1, max: 6 }),
    blocks: fc.integer({ min: 1, max: 3 }),
    seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  })
  .map(({ seed, ...options }) => {
    const space = Space.configure(autoDeepLab, { ...options, firstLayerMayHalve: true });
    return space.decode(space.sample(Random.of(seed, 'architecture')));
  });

/** Parameters and multiply-adds of an operation at stride 1: each output pixel is a weighted sum over these weights. */
const WEIGHTS: Record<OperationName, (filters: number) => number> = {
  none: () => 0,
  max_pool_3x3: () => 0,
  avg_pool_3x3: () => 0,
  skip_connect: () => 0,
  sep_conv_3x3: (f) => 2 * (9 * f + f * f),
  sep_conv_5x5: (f) => 2 * (25 * f + f * f),
  atrous_conv_3x3: (f) => 9 * f * f,
  atrous_conv_5x5: (f) => 25 * f * f,
};
const NORMALISED: Partial<Record<OperationName, number>> = {
  sep_conv_3x3: 2,
  sep_conv_5x5: 2,
  atrous_conv_3x3: 1,
  atrous_conv_5x5: 1,
};

/** Parameters and multiply-adds of a network for images of 64 k + 1 pixels per side, from the architecture alone. */
function arithmetic(
  { path, cell }: AutoDeepLab,
  widths: Required<AutoDeepLabWidths>,
  side: number,
  classes: number,
) {
  const { filterMultiplier: multiplier, stemChannels: stem, headChannels: head } = widths;
  const pixels = (stride: number) => ((side - 1) / stride + 1) ** 2;
  let params = 0;
  let macs = 0;
  const convolution = (weights: number, at: number, norm: number) => {
    params += weights + 2 * norm;
    macs += weights * at;
  };
  convolution(3 * stem * 9, pixels(2), stem);
  convolution(stem * stem * 9, pixels(2), stem);
  convolution(2 * stem * stem * 9, pixels(4), 2 * stem);
  let [before, previous] = [stem, 2 * stem];
  let lowLevel = 2 * stem;
  let above = 0;
  path.forEach((level, layer) => {
    const filters = multiplier << level;
    const halves = level > above;
    const own = pixels(4 << level);
    const read = halves ? pixels(4 << above) : own;
    convolution(previous * filters, read, filters);
    if (before !== filters) convolution(before * filters, read, filters);
    for (const [first, second, onFirst, onSecond] of cell) {
      for (const [input, name] of [
        [first, onFirst],
        [second, onSecond],
      ] as const) {
        if (name === 'skip_connect' && halves && input < 2) convolution(filters * filters, own, filters);
        else convolution(WEIGHTS[name](filters), own, (NORMALISED[name] ?? 0) * filters);
      }
    }
    [before, previous] = [previous, filters * cell.length];
    above = level;
    if (path.slice(0, layer + 1).every((earlier) => earlier === 0)) lowLevel = previous;
  });
  const low = Math.min(48, head);
  const end = pixels(4 << above);
  convolution(previous * head, 1, head);
  convolution(previous * head, end, head);
  for (let branch = 0; branch < 3; branch++) convolution(9 * previous * head, end, head);
  convolution(5 * head * head, end, head);
  convolution(lowLevel * low, pixels(4), low);
  convolution(9 * (head + low) * head, pixels(4), head);
  convolution(9 * head * head, pixels(4), head);
  convolution(head * classes, pixels(4), 0);
  return { params: params + classes, macs };
}

const widths = fc.record({
  filterMultiplier: fc.integer({ min: 1, max: 3 }),
  stemChannels: fc.constantFrom(3, 64),
  headChannels: fc.constantFrom(5, 60, 256),
});

describe('a network of auto-deeplab', () => {
  it('has the parameters and multiply-adds computed from its architecture', () => {
    fc.assert(
      fc.property(architectures, widths, (architecture, wide) => {
        const shape = { channels: 3, height: 65, width: 65, classes: 7 };
        const network = new AutoDeepLabNetwork(architecture, shape, wide);
        const expected = arithmetic(architecture as AutoDeepLab, wide, 65, 7);
        expect(network.parameterCount()).toBe(expected.params);
        expect(multiplyAdds(traceClassifier(network, shape).calls)).toBe(expected.macs);
        network.free();
      }),
      { numRuns: 15 },
    );
  });

  it('gives logits for every pixel, and gradients, for any architecture and image size', () => {
    fc.assert(
      fc.property(
        architectures,
        fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
        (architecture, [height, width]) => {
          manualSeed(1);
          const network = new AutoDeepLabNetwork(
            architecture,
            { channels: 3, height, width, classes: 4 },
            { filterMultiplier: 2 },
          );
          scope(() => {
            const output = network.forward(randn([2, 3, height, width], { dtype: 'float32' }));
            expect(output.shape).toEqual([2, 4, height, width]);
            backward(output.square().mean());
            for (const [name, parameter] of network.namedParameters()) {
              if (name.startsWith('decoder') || name.startsWith('pyramid'))
                expect(parameter.grad, name).toBeDefined();
              expect(Number.isFinite(parameter.grad?.abs().sum().item() ?? 0), name).toBe(true);
            }
          });
          network.free();
        },
      ),
      { numRuns: 12 },
    );
  });

  it('gives a gradient to every parameter of the published cell along a path down and up', () => {
    manualSeed(2);
    const shape = { channels: 3, height: 33, width: 33, classes: 3 };
    const network = new AutoDeepLabNetwork({ path: [0, 1, 2, 1, 1], cell: CELL }, shape, {
      filterMultiplier: 4,
    });
    scope(() => {
      const labels = randn([2, 33, 33], { dtype: 'float32' }).ge(0).to({ dtype: 'int64' });
      backward(network.forward(randn([2, 3, 33, 33], { dtype: 'float32' })).crossEntropyLoss(labels));
      for (const [name, parameter] of network.namedParameters()) {
        const size = parameter.grad!.abs().sum().item();
        expect(Number.isFinite(size) && size > 0, name).toBe(true);
      }
    });
    network.free();
  });

  it('has gradients that agree with finite differences, through scale changes, dropped paths and pyramid', () => {
    manualSeed(3);
    const cell: Block[] = [
      [1, 0, 'atrous_conv_3x3', 'sep_conv_3x3'],
      [2, 0, 'skip_connect', 'skip_connect'],
      [3, 1, 'avg_pool_3x3', 'none'],
    ];
    const shape = { channels: 2, height: 17, width: 9, classes: 2 };
    const network = new AutoDeepLabNetwork({ path: [0, 1, 0], cell }, shape, { filterMultiplier: 2 }).to({
      dtype: 'float64',
    });
    network.dropPathProbability = 0.3;
    scope(() => {
      const images = randn([3, 2, 17, 9], { dtype: 'float64' });
      // Pyramid and decoder have too many parameters to check. Earlier gradients would be wrong if theirs were.
      const parameters = new Map<string, Tensor>(
        [...network.namedParameters()].filter(([name]) => /^(stem.conv0|cells).*weight$/.test(name)),
      );
      // Drop the same paths every time.
      const loss = () => {
        manualSeed(4);
        return network.forward(images).square().mean();
      };
      expectGradients(loss, parameters, 2);
    });
    network.free();
  });

  it('runs every layer at the scale of its level, and doubles the filters from level to level', () => {
    const path = [0, 1, 2, 3, 2, 1, 0];
    const network = new AutoDeepLabNetwork(
      { path, cell: CELL },
      { channels: 3, height: 65, width: 129, classes: 2 },
      { filterMultiplier: 1 },
    ).eval();
    const shapes: (readonly number[])[] = [];
    for (const cell of network.cells) {
      const forward = cell.forward.bind(cell);
      cell.forward = (...inputs) => {
        const output = forward(...inputs);
        shapes.push(output.shape);
        return output;
      };
    }
    scope(() => noGrad(() => network.forward(randn([1, 3, 65, 129], { dtype: 'float32' }))));
    expect(shapes).toEqual([
      [1, 5, 17, 33],
      [1, 10, 9, 17],
      [1, 20, 5, 9],
      [1, 40, 3, 5],
      [1, 20, 5, 9],
      [1, 10, 9, 17],
      [1, 5, 17, 33],
    ]);
    network.free();
  });

  it.each([
    [[0, 0, 1, 0], 2 * 5],
    [[0, 0], 2 * 5],
    [[1, 0, 0], 128],
  ])('with the path %j reads low-level features with %i channels', (path, channels) => {
    const network = new AutoDeepLabNetwork(
      { path, cell: CELL },
      { channels: 3, height: 32, width: 32, classes: 2 },
      { filterMultiplier: 2 },
    );
    expect(network.decoder.lowLevel.conv.weight.shape).toEqual([48, channels, 1, 1]);
    network.free();
  });

  it('reads the low-level features from the last layer before the path leaves stride 4', () => {
    const network = new AutoDeepLabNetwork(
      { path: [0, 0, 1, 0], cell: CELL },
      { channels: 3, height: 32, width: 32, classes: 2 },
      { filterMultiplier: 2 },
    ).eval();
    scope(() =>
      noGrad(() => {
        const outputs: Tensor[] = [];
        for (const cell of network.cells) {
          const forward = cell.forward.bind(cell);
          cell.forward = (...inputs) => {
            outputs.push(forward(...inputs));
            return outputs.at(-1)!;
          };
        }
        const decode = network.decoder.forward.bind(network.decoder);
        let lowLevel: Tensor | undefined;
        network.decoder.forward = (features, low) => {
          lowLevel = low;
          return decode(features, low);
        };
        network.forward(randn([1, 3, 32, 32], { dtype: 'float32' }));
        expect(outputs.indexOf(lowLevel!)).toBe(1);
      }),
    );
    network.free();
  });

  it('drops operations with a probability proportional to the depth of the layer', () => {
    const network = new AutoDeepLabNetwork(
      { path: [0, 0, 0, 0], cell: [[0, 1, 'avg_pool_3x3', 'none']] },
      { channels: 3, height: 8, width: 8, classes: 2 },
      { filterMultiplier: 1 },
    ).eval();
    network.dropPathProbability = 0.8;
    const probabilities: number[] = [];
    for (const cell of network.cells) {
      const forward = cell.forward.bind(cell);
      cell.forward = (previous, before, probability) => {
        probabilities.push(probability);
        return forward(previous, before, probability);
      };
    }
    scope(() => noGrad(() => network.forward(randn([1, 3, 8, 8], { dtype: 'float32' }))));
    for (const [index, expected] of [0.2, 0.4, 0.6, 0.8].entries())
      expect(probabilities[index]).toBeCloseTo(expected, 12);
    network.free();
  });
});

describe('a cell of auto-deeplab', () => {
  /** A cell with one filter on maps of one channel. It applies only ReLU to the output of the previous layer. */
  function cellOf(blocks: readonly Block[], stride: 1 | 2 = 1): Cell {
    const cell = new Cell(blocks, 1, { previous: 1, before: 1 }, stride).eval();
    noGrad(() => {
      cell.previous.conv.weight.fill_(1);
      cell.previous.bn.running_var!.fill_(1 - 1e-3);
    });
    return cell;
  }
  const rounded = (map: Tensor) => map.toNumbers().map((value) => Math.round(value * 1e4) / 1e4);

  it('sums two operations per block and concatenates all blocks, including those that other blocks read', () => {
    const cell = cellOf([
      [0, 1, 'skip_connect', 'skip_connect'],
      [2, 2, 'skip_connect', 'skip_connect'],
      [1, 3, 'none', 'skip_connect'],
    ]);
    scope(() =>
      noGrad(() => {
        const previous = tensor([[[[3, -1]]]]);
        const before = tensor([[[[10, -20]]]]);
        // Input 0 passes through ReLU and a 1x1 convolution. Input 1 already has the cell's channels and is used unchanged.
        const output = cell.forward(previous, before, 0);
        expect(output.shape).toEqual([1, 3, 1, 2]);
        expect(rounded(output)).toEqual([13, -20, 26, -40, 26, -40]);
      }),
    );
    cell.free();
  });

  it('resizes the earlier input to the later one, and projects it if its number of channels differs', () => {
    const cell = new Cell([[1, 1, 'skip_connect', 'none']], 1, { previous: 1, before: 2 }, 1).eval();
    scope(() =>
      noGrad(() => {
        cell.before!.conv.weight.copy_(tensor([[[[1]], [[100]]]]));
        cell.before!.bn.running_var!.fill_(1 - 1e-3);
        const before = tensor([[[[0, 2, 4]], [[1, -2, 3]]]]);
        // Of three columns, 0 and 2 remain. ReLU comes after that.
        expect(rounded(cell.forward(tensor([[[[1, 1]]]]), before, 0))).toEqual([100, 304]);
      }),
    );
    cell.free();
  });

  it('halves its inputs, but not its blocks', () => {
    const cell = cellOf(
      [
        [0, 1, 'max_pool_3x3', 'max_pool_3x3'],
        [2, 0, 'max_pool_3x3', 'max_pool_3x3'],
      ],
      2,
    );
    scope(() =>
      noGrad(() => {
        const map = tensor([[[[1, 0, 0, 0, 2]]]]);
        // The first block is twice 1, 0, 2. The second is its maxima over neighbours, 2, 4, 4, plus 1, 0, 2.
        expect(rounded(cell.forward(map, map, 0))).toEqual([2, 0, 4, 3, 4, 6]);
      }),
    );
    cell.free();
  });

  it('drops pooling and convolutions independently for each image in training, but not skip connections', () => {
    const images = 200;
    const dropped = cellOf([[0, 1, 'avg_pool_3x3', 'skip_connect']]);
    // Only the cell itself is in training mode, so normalisation keeps its statistics.
    dropped.training = true;
    manualSeed(4);
    scope(() =>
      noGrad(() => {
        const map = ones([images, 1, 1, 2], { dtype: 'float32' });
        const output = dropped.forward(map, map.mul(10), 0.75);
        const pairs = Array.from({ length: images }, (_, image) =>
          rounded(output).slice(2 * image, 2 * image + 2),
        );
        for (const [left, right] of pairs) expect(left).toBe(right);
        expect(new Set(pairs.flat())).toEqual(new Set([10, 14]));
        // 200 draws with probability 0.25: mean 50, standard deviation 6.
        const kept = pairs.filter(([left]) => left === 14).length;
        expect(kept).toBeGreaterThan(20);
        expect(kept).toBeLessThan(80);
        expect(new Set(rounded(dropped.eval().forward(map, map.mul(10), 0.75)))).toEqual(new Set([11]));
      }),
    );
    dropped.free();
  });
});

describe('the spatial pyramid of auto-deeplab', () => {
  it.each([
    [4, [24, 48, 72]],
    [8, [12, 24, 36]],
    [16, [6, 12, 18]],
    [32, [3, 6, 9]],
  ])('at stride %i has the atrous rates %j', (stride, rates) => {
    const pyramid = new SpatialPyramid(1, stride);
    const [point, ...atrous] = pyramid.branches.map(({ conv }) => conv);
    expect(point!.weight.shape).toEqual([256, 1, 1, 1]);
    expect(atrous.map(({ dilation }) => dilation)).toEqual(rates.map((rate) => [rate, rate]));
    pyramid.free();
  });

  it('adds the mean of the image to every pixel', () => {
    const pyramid = new SpatialPyramid(1, 8).eval();
    scope(() =>
      noGrad(() => {
        for (const { conv } of [pyramid.pooled!, pyramid.projection, ...pyramid.branches])
          conv.weight.fill_(0);
        // Connect the first channel of image pooling to the first output channel with weight 2.
        pyramid.pooled!.conv.weight.slice(0, 0, 1).fill_(1);
        pyramid.projection.conv.weight.slice(0, 0, 1).slice(1, 0, 1).fill_(2);
        const output = pyramid.forward(
          tensor([
            [
              [
                [1, 2, 3],
                [4, 5, 9],
              ],
            ],
          ]),
        );
        expect(output.shape).toEqual([1, 256, 2, 3]);
        for (const value of output.toNumbers().slice(0, 6)) expect(value).toBeCloseTo(8, 3);
        expect(new Set(output.toNumbers().slice(6))).toEqual(new Set([0]));
      }),
    );
    pyramid.free();
  });
});
