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
import { describe, expect, it, vi } from 'vitest';
import { nasnetA } from '../../src/hub/nasnet-a.js';
import { buildNetwork } from '../../src/networks/build-network.js';
import type { NasnetArchitecture, NasnetCellArchitecture } from '../../src/networks/nasnet/architecture.js';
import { type CellPlace, NasnetCell } from '../../src/networks/nasnet/cell.js';
import { planCells } from '../../src/networks/nasnet/cell-plan.js';
import { FactorizedReduction } from '../../src/networks/nasnet/factorized-reduction.js';
import { NasnetNetwork, type NasnetOptions } from '../../src/networks/nasnet/network.js';
import { buildOperation, nasnetOperations } from '../../src/networks/nasnet/operations.js';
import { Random } from '../../src/random/random.js';
import { Space } from '../../src/space/space.js';
import { nasnet } from '../../src/spaces/nasnet.js';

setThreads(1);

const norm = { epsilon: 1e-5, momentum: 0.1 };
const published = nasnetA.architecture as NasnetArchitecture;
const settings: NasnetOptions = {
  cells: 1,
  channels: 8,
  filters: null,
  layout: 'cifar',
  stemFilters: null,
  skipReductionInput: false,
  dropout: 0,
  auxiliary: false,
};
const colour = (size: number, classes = 10) => ({ channels: 3, height: size, width: size, classes });

const close = (values: readonly number[], expected: readonly number[]) => {
  expect(values.length).toBe(expected.length);
  for (const [index, value] of values.entries()) expect(value).toBeCloseTo(expected[index]!, 4);
};

describe('an operation of nasnet', () => {
  it('gives the number of filters and the size that the cell needs, for any input', () => {
    for (const name of nasnetOperations)
      for (const [inputs, stride, size] of [
        [8, 1, 7],
        [8, 2, 4],
        [16, 1, 7],
        [16, 2, 4],
      ] as const)
        scope(() => {
          const operation = buildOperation(name, inputs, 8, stride, norm);
          expect(operation.forward(randn([2, inputs, 7, 7])).shape, name).toEqual([2, 8, size, size]);
          operation.free();
        });
  });

  it('has the number of parameters computed by hand', () => {
    const F = 16;
    const bn = (width: number) => 2 * width;
    const squeezed = (width: number, inner: number) => F * width + bn(width) + inner + width * F + bn(F);
    const separable = (k: number) => 2 * (F * k * k + F * F + bn(F));
    const expected = {
      skip_connect: 0,
      conv_1x3_3x1: squeezed(6, 2 * (6 * 6 * 3 + bn(6))),
      conv_1x7_7x1: squeezed(4, 2 * (4 * 4 * 7 + bn(4))),
      dil_conv_3x3: squeezed(4, 4 * 4 * 9 + bn(4)),
      avg_pool_3x3: 0,
      max_pool_3x3: 0,
      max_pool_5x5: 0,
      max_pool_7x7: 0,
      conv_1x1: F * F + bn(F),
      conv_3x3: squeezed(4, 4 * 4 * 9 + bn(4)),
      sep_conv_3x3: separable(3),
      sep_conv_5x5: separable(5),
      sep_conv_7x7: separable(7),
    };
    const found = nasnetOperations.map((name) => {
      const operation = buildOperation(name, F, F, 1, norm);
      const count = operation.parameterCount();
      operation.free();
      return [name, count];
    });
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it('reads pixels two apart in a dilated convolution', () => {
    scope(() => {
      // The bottleneck has 1/4 of 4 filters, that is, one filter.
      const operation = buildOperation('dil_conv_3x3', 4, 4, 1, norm).eval();
      noGrad(() => {
        for (const parameter of operation.parameters()) if (parameter.shape.length === 4) parameter.fill_(1);
        const image = ones([1, 4, 5, 5]).mul(0);
        image.select(2, 0).select(2, 0).fill_(1);
        const marks = operation.forward(image).select(1, 0).gt(0).toNumbers().map(Number);
        close(marks, [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      });
      operation.free();
    });
  });

  it('averages over the pixels inside the image, not over the padding', () => {
    scope(() => {
      const pool = buildOperation('avg_pool_3x3', 1, 1, 1, norm);
      close(
        pool
          .forward(
            tensor([
              [
                [
                  [1, 2],
                  [3, 6],
                ],
              ],
            ]),
          )
          .toNumbers(),
        [3, 3, 3, 3],
      );
    });
  });
});

describe('a factorized reduction', () => {
  it('reads the even positions with one half of its filters and the odd positions with the other', () => {
    scope(() => {
      const reduction = new FactorizedReduction(1, 3, norm).eval();
      noGrad(() => {
        reduction.even.weight.copy_(tensor([[[[1]]]]));
        reduction.odd.weight.copy_(tensor([[[[1]]], [[[10]]]]));
        reduction.norm.running_var!.fill_(1 - 1e-5);
        const image = tensor([
          [
            [
              [1, 2, 3],
              [4, 5, 6],
              [7, 8, 9],
            ],
          ],
        ]);
        const result = reduction.forward(image);
        expect(result.shape).toEqual([1, 3, 2, 2]);
        close(result.toNumbers(), [1, 3, 7, 9, 5, 0, 0, 0, 50, 0, 0, 0]);
      });
      reduction.free();
    });
  });
});

describe('a cell of nasnet', () => {
  /** Evaluates a cell whose 1x1 convolutions multiply by 1 and whose normalisation is the identity. */
  function evaluate(cell: NasnetCell, input: Tensor, previous: Tensor): Tensor {
    cell.eval();
    for (const [name, value] of cell.stateDict())
      if (name.endsWith('running_var')) value.fill_(1 - 1e-5);
      else if (value.shape.length === 4) value.fill_(1);
    return cell.forward(input, previous, 0);
  }
  const input = () =>
    tensor([
      [
        [
          [-1, 2],
          [3, 4],
        ],
      ],
    ]);
  const previous = () =>
    tensor([
      [
        [
          [10, -20],
          [30, 40],
        ],
      ],
    ]);

  it('numbers its hidden states backwards from its input: 0 is the last output, 1 the one before', () => {
    scope(() =>
      noGrad(() => {
        const architecture: NasnetCellArchitecture = {
          blocks: [
            { inputs: [0, 0], operations: ['skip_connect', 'skip_connect'], combine: 'add' },
            { inputs: [1, 2], operations: ['max_pool_3x3', 'skip_connect'], combine: 'add' },
          ],
          concat: [1, 2, 3],
        };
        const place: CellPlace = {
          filters: 1,
          stride: 1,
          channels: 1,
          previous: { channels: 1, twiceAsLarge: false },
        };
        const cell = new NasnetCell(architecture, place, norm);
        const result = evaluate(cell, input(), previous());
        expect(result.shape).toEqual([1, 3, 2, 2]);
        // The input passes through ReLU and a 1x1 convolution. The previous input already fits and is used unchanged.
        close(result.toNumbers(), [10, -20, 30, 40, 0, 4, 6, 8, 40, 44, 46, 48]);
        cell.free();
      }),
    );
  });

  it('uses its only input in both roles if it is the first cell', () => {
    scope(() =>
      noGrad(() => {
        const architecture: NasnetCellArchitecture = {
          blocks: [{ inputs: [1, 1], operations: ['skip_connect', 'skip_connect'], combine: 'add' }],
          concat: [0, 2],
        };
        const cell = new NasnetCell(architecture, { filters: 1, stride: 1, channels: 1 }, norm);
        close(evaluate(cell, input(), previous()).toNumbers(), [0, 2, 3, 4, -2, 4, 6, 8]);
        cell.free();
      }),
    );
  });

  it('concatenates the results of a block with combination concat, and reads them with twice the channels', () => {
    scope(() =>
      noGrad(() => {
        const architecture: NasnetCellArchitecture = {
          blocks: [
            { inputs: [0, 0], operations: ['skip_connect', 'max_pool_3x3'], combine: 'concat' },
            { inputs: [2, 2], operations: ['skip_connect', 'skip_connect'], combine: 'add' },
          ],
          concat: [1, 2, 3],
        };
        const cell = new NasnetCell(architecture, { filters: 1, stride: 1, channels: 1 }, norm);
        const result = evaluate(cell, input(), previous());
        expect(result.shape).toEqual([1, 4, 2, 2]);
        close(result.toNumbers(), [-1, 2, 3, 4, 0, 2, 3, 4, 4, 4, 4, 4, 2 * 4, 2 * 6, 2 * 7, 2 * 8]);
        cell.free();
      }),
    );
  });

  it('reduces inputs with stride 2 in its blocks, and by factorized reduction in its output', () => {
    scope(() =>
      noGrad(() => {
        const architecture: NasnetCellArchitecture = {
          blocks: [
            { inputs: [0, 0], operations: ['max_pool_3x3', 'skip_connect'], combine: 'add' },
            { inputs: [2, 2], operations: ['skip_connect', 'skip_connect'], combine: 'add' },
          ],
          concat: [1, 3],
        };
        const cell = new NasnetCell(
          architecture,
          { filters: 2, stride: 2, channels: 1, previous: { channels: 1, twiceAsLarge: true } },
          norm,
        );
        const image = tensor([
          [
            [
              [1, 2],
              [3, 4],
            ],
          ],
        ]);
        const larger = tensor([
          [
            [
              [1, 0, 2, 0],
              [0, 5, 0, 6],
              [3, 0, 4, 0],
              [0, 7, 0, 8],
            ],
          ],
        ]);
        const result = evaluate(cell, image, larger);
        expect(result.shape).toEqual([1, 4, 1, 1]);
        // The previous input becomes [1 2; 3 4] and [5 6; 7 8], then (1 + 5) and (4 + 8). The input holds 1 to 4 in both
        // channels: its maximum is 4, and a convolution over the two channels gives 1 + 1 for the first pixel.
        close(result.toNumbers(), [6, 12, 2 * (4 + 2), 2 * (4 + 2)]);
        cell.free();
      }),
    );
  });

  it('drops whole paths of an image in training, but never skip connections, and preserves the expectation', () => {
    scope(() =>
      noGrad(() => {
        const cell = new NasnetCell(
          {
            blocks: [
              { inputs: [1, 1], operations: ['avg_pool_3x3', 'skip_connect'], combine: 'concat' },
              { inputs: [0, 0], operations: ['skip_connect', 'skip_connect'], combine: 'add' },
            ],
            concat: [2],
          },
          { filters: 1, stride: 1, channels: 1 },
          norm,
        );
        manualSeed(1);
        const images = ones([1000, 1, 2, 2]);
        const result = cell.forward(images, images, 0.75).toNumbers();
        let kept = 0;
        for (let image = 0; image < 1000; image++) {
          const [first, ...others] = result.slice(8 * image, 8 * image + 8);
          expect([0, 4]).toContain(first);
          expect(others).toEqual([first, first, first, 1, 1, 1, 1]);
          if (first === 4) kept++;
        }
        // Binomial distribution with a standard deviation of 13.7.
        expect(Math.abs(kept - 250)).toBeLessThan(70);
        expect(new Set(cell.eval().forward(images, images, 0.75).toNumbers())).toEqual(new Set([1]));
        cell.free();
      }),
    );
  });
});

describe('a network of nasnet', () => {
  const widths = (
    options: Pick<NasnetOptions, 'cells' | 'layout'> & { channels: number; stemFilters: number },
  ) => planCells(published, { skipReductionInput: false, ...options }).map(({ outputs }) => outputs);
  const times = (count: number, value: number) => Array.from({ length: count }, () => value);

  it("has the channels at the endpoints that the authors' tests check for their three networks", () => {
    expect(widths({ cells: 6, layout: 'cifar', channels: 32, stemFilters: 96 })).toEqual([
      ...times(6, 192),
      256,
      ...times(6, 384),
      512,
      ...times(6, 768),
    ]);
    expect(widths({ cells: 4, layout: 'imagenet', channels: 44, stemFilters: 32 })).toEqual([
      44,
      88,
      ...times(4, 264),
      352,
      ...times(4, 528),
      704,
      ...times(4, 1056),
    ]);
    expect(widths({ cells: 6, layout: 'imagenet', channels: 168, stemFilters: 96 })).toEqual([
      168,
      336,
      ...times(6, 1008),
      1344,
      ...times(6, 2016),
      2688,
      ...times(6, 4032),
    ]);
  });

  it('gives the cell after a reduction the first or, with skipReductionInput, the second input of the reduction', () => {
    const previous = (skipReductionInput: boolean) =>
      planCells(published, {
        cells: 2,
        layout: 'imagenet',
        channels: 8,
        stemFilters: 32,
        skipReductionInput,
      }).map(({ previousCell }) => previousCell);
    // Cells 0 and 1 belong to the stem; cells 4 and 7 are the reductions between the stages.
    expect(previous(false)).toEqual([undefined, -1, 0, 1, 2, 3, 4, 5, 6, 7]);
    expect(previous(true)).toEqual([undefined, -1, 0, 1, 2, 2, 4, 5, 5, 7]);
  });

  it('drops paths with a probability proportional to the depth of the cell, up to the full probability in the last', () => {
    scope(() => {
      const network = new NasnetNetwork(published, colour(8), settings);
      network.dropPathProbability = 0.4;
      const calls = network.cells.map((cell) => vi.spyOn(cell, 'forward'));
      network.forward(randn([2, 3, 8, 8]));
      close(
        calls.map((call) => call.mock.calls[0]![2]),
        [0.08, 0.16, 0.24, 0.32, 0.4],
      );
      network.free();
    });
  });

  it('has an auxiliary head before the second reduction, but only on request', () => {
    scope(() => {
      const without = new NasnetNetwork(published, colour(32), settings);
      const network = new NasnetNetwork(published, colour(32), { ...settings, auxiliary: true });
      // The second stage has 16 filters and 6 states: 96 channels of 16x16, pooled to 4x4.
      const head = 96 * 128 + 2 * 128 + 128 * 768 * 4 * 4 + 2 * 768 + 768 * 10 + 10;
      expect(network.parameterCount() - without.parameterCount()).toBe(head);
      const images = randn([2, 3, 32, 32]);
      const { logits, auxiliary } = network.forwardWithAuxiliary(images);
      expect(logits.shape).toEqual([2, 10]);
      expect(auxiliary!.shape).toEqual([2, 10]);
      expect(without.forwardWithAuxiliary(images).auxiliary).toBeUndefined();
      backward(logits.sum().add(auxiliary!.pow(2).sum()));
      for (const [name, parameter] of network.namedParameters()) expect(parameter.grad, name).toBeDefined();
      network.free();
      without.free();
    });
  });

  it('rejects images that are too small for the auxiliary head or the stem', () => {
    const build = (size: number, options: Partial<NasnetOptions>) =>
      new NasnetNetwork(published, colour(size), { ...settings, ...options });
    expect(() => build(8, { auxiliary: true })).toThrow('its features are only 4x4');
    expect(() => build(71, { auxiliary: true, layout: 'imagenet' }).free()).not.toThrow();
    expect(() => build(64, { auxiliary: true, layout: 'imagenet' })).toThrow('its features are only 4x4');
    expect(() => build(2, { layout: 'imagenet' })).toThrow('images of at least 3x3, not 2x2');
  });

  it('rejects a number of filters that does not fit its cells', () => {
    const build = (options: Partial<NasnetOptions>) =>
      new NasnetNetwork(published, colour(8), { ...settings, ...options });
    expect(() => build({ filters: 770 })).toThrow(
      "space nasnet: option 'filters' is 770; allowed with layout 'cifar' and a normal cell whose output is 6 times as wide " +
        'as its convolutions: multiples of 24, at least 48',
    );
    expect(() => build({ channels: 7, layout: 'imagenet' })).toThrow(
      "space nasnet: option 'channels' is 7; allowed with layout 'imagenet': 8 or more",
    );
    const network = build({ filters: 48, channels: 1000 });
    expect(network.classifier.weight.shape).toEqual([10, 48]);
    network.free();
  });

  it('gives the same logits in channels_last as in the default layout', () => {
    scope(() =>
      noGrad(() => {
        const network = new NasnetNetwork(published, colour(16), settings).eval();
        const images = randn([2, 3, 16, 16]);
        const expected = network.forward(images).toNumbers();
        network.to({ memoryFormat: 'channels_last' });
        close(network.forward(images.to({ memoryFormat: 'channels_last' })).toNumbers(), expected);
        network.free();
      }),
    );
  });

  it('runs and has a gradient for every parameter, for any architecture, layout and image shape', () => {
    const spaces = fc.record({
      blocks: fc.constantFrom(1, 2, 5),
      layout: fc.constantFrom('cifar', 'imagenet'),
      normalKeeps: fc.constantFrom([], [0], [1]),
      reductionKeeps: fc.constantFrom([], [0, 1]),
      skipReductionInput: fc.boolean(),
    });
    fc.assert(
      fc.property(spaces, fc.nat(), fc.constantFrom([5, 9], [8, 3]), (options, seed, [height, width]) => {
        scope(() => {
          const space = Space.configure(nasnet, { ...options, cells: 1, channels: 8 });
          const architecture = space.decode(space.sample(Random.of(seed, 'architecture')));
          const shape = { channels: 2, height: height!, width: width!, classes: 3 };
          const network = buildNetwork(space, architecture, shape);
          const logits = network.forward(randn([3, 2, height!, width!]));
          expect(logits.shape).toEqual([3, 3]);
          backward(logits.pow(2).sum());
          for (const [name, parameter] of network.namedParameters())
            expect(parameter.grad, name).toBeDefined();
          network.free();
        });
      }),
      { numRuns: 25 },
    );
  });
});
