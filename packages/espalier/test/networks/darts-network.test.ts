import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  backward,
  fromTypedArray,
  loadTensors,
  manualSeed,
  type nn,
  noGrad,
  ones,
  randn,
  scope,
  setThreads,
  tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { dropPath } from '../../src/cells/drop-path.js';
import { ashaCnn } from '../../src/hub/asha-cnn.js';
import { dartsV1 } from '../../src/hub/darts-v1.js';
import { dartsV2 } from '../../src/hub/darts-v2.js';
import type { AuxiliaryHead } from '../../src/networks/darts/auxiliary-head.js';
import { Cell } from '../../src/networks/darts/cell.js';
import { planCells } from '../../src/networks/darts/cell-plan.js';
import { DARTS_OPERATIONS, type DartsGenotype } from '../../src/networks/darts/genotype.js';
import { DartsNetwork, type DartsNetworkOptions } from '../../src/networks/darts/network.js';
import { FactorizedReduce, makeOperation } from '../../src/networks/darts/operations.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { fromArchitectureFile } from '../../src/space/architecture-file.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { readGenotypeText } from '../../src/spaces/genotype-text.js';

setThreads(1);

const CIFAR = { channels: 3, height: 32, width: 32, classes: 10 };
const IMAGENET = { channels: 3, height: 224, width: 224, classes: 1000 };
const [v1, v2] = [dartsV1, dartsV2].map(({ architecture }) => architecture as DartsGenotype) as [
  DartsGenotype,
  DartsGenotype,
];
const small = (options: Partial<DartsNetworkOptions> = {}) =>
  ({ channels: 4, layers: 3, layout: 'cifar', auxiliary: false, ...options }) as const;

/** Sets all weights of convolutions to one, and makes batch norm the identity in evaluation. */
function makePlain(module: nn.Module): void {
  noGrad(() => {
    for (const [name, parameter] of module.namedParameters())
      if (parameter.shape.length === 4) parameter.fill_(1);
      else if (name.endsWith('weight')) parameter.fill_(1);
      else parameter.fill_(0);
    for (const [name, buffer] of module.namedBuffers())
      if (name.endsWith('running_var')) buffer.fill_(1 - 1e-5);
  });
}

const grid = (height: number, width: number, value: (row: number, column: number) => number) =>
  tensor([[Array.from({ length: height }, (_, i) => Array.from({ length: width }, (_, j) => value(i, j)))]]);

const close = (values: readonly number[], expected: readonly number[]) => {
  expect(values.length).toBe(expected.length);
  for (const [index, value] of values.entries()) expect(value).toBeCloseTo(expected[index]!, 4);
};

describe('the size of a network of DARTS', () => {
  it.each([
    ['DARTS_V2 on CIFAR-10', v2, CIFAR, { channels: 36, layers: 20 }, 3_349_342, 528_359_040],
    ['DARTS_V1 on CIFAR-10', v1, CIFAR, { channels: 36, layers: 20 }, 3_169_414, 500_987_520],
    // The README of the authors' code states 4.719M.
    [
      'DARTS_V2 on ImageNet',
      v2,
      IMAGENET,
      { channels: 48, layers: 14, layout: 'imagenet' },
      4_718_752,
      529_911_552,
    ],
    // The paper states 2.2M.
    [
      'ASHA200 on CIFAR-10',
      ashaCnn.architecture as DartsGenotype,
      CIFAR,
      { channels: 36, layers: 20 },
      2_243_206,
      352_794_240,
    ],
  ] as const)('is the published one: %s', (_, genotype, shape, options, params, macs) => {
    const network = new DartsNetwork(genotype, shape, small(options));
    expect(network.parameterCount()).toBe(params);
    expect(multiplyAdds(traceClassifier(network, shape).calls)).toBe(macs);
    network.free();
  });

  it('grows by exactly the auxiliary head', () => {
    const without = new DartsNetwork(v2, CIFAR, small());
    const network = new DartsNetwork(v2, CIFAR, small({ auxiliary: true }));
    // From 64 channels: 1x1 to 128 with its norm, 2x2 to 768 with its norm, and the classifier.
    expect(network.parameterCount() - without.parameterCount()).toBe(
      64 * 128 + 256 + 128 * 768 * 4 + 1536 + 7690,
    );
    expect(multiplyAdds(traceClassifier(network, CIFAR).calls)).toBe(
      multiplyAdds(traceClassifier(without, CIFAR).calls),
    );
    without.free();
    network.free();
  });
});

describe("the names in a network's state dictionary", () => {
  const norm = (name: string) =>
    ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'].map((part) => `${name}.${part}`);
  const linear = (name: string) => [`${name}.weight`, `${name}.bias`];
  const genotype: DartsGenotype = {
    normal: [
      ['dil_conv_3x3', 1],
      ['max_pool_3x3', 0],
    ],
    normal_concat: [2],
    reduce: [
      ['skip_connect', 1],
      ['sep_conv_5x5', 0],
    ],
    reduce_concat: [2],
  };
  const reluConvBn = (name: string) => [`${name}.op.1.weight`, ...norm(`${name}.op.2`)];
  const reduction = (name: string) => [
    `${name}.conv_1.weight`,
    `${name}.conv_2.weight`,
    ...norm(`${name}.bn`),
  ];
  const cells = (first: (name: string) => string[]) => [
    ...first('cells.0.preprocess0'),
    ...reluConvBn('cells.0.preprocess1'),
    ...['cells.0._ops.0.op.1.weight', 'cells.0._ops.0.op.2.weight', ...norm('cells.0._ops.0.op.3')],
    ...[1, 2].flatMap((cell) => [
      ...(cell === 1 ? reluConvBn : reduction)(`cells.${cell}.preprocess0`),
      ...reluConvBn(`cells.${cell}.preprocess1`),
      ...reduction(`cells.${cell}._ops.0`),
      ...[`cells.${cell}._ops.1.op.1.weight`, `cells.${cell}._ops.1.op.2.weight`],
      ...norm(`cells.${cell}._ops.1.op.3`),
      ...[`cells.${cell}._ops.1.op.5.weight`, `cells.${cell}._ops.1.op.6.weight`],
      ...norm(`cells.${cell}._ops.1.op.7`),
    ]),
    ...linear('classifier'),
  ];

  it("are those of the authors' NetworkCIFAR", () => {
    const network = new DartsNetwork(genotype, CIFAR, small({ auxiliary: true }));
    expect([...network.stateDict().keys()].sort()).toEqual(
      [
        'stem.0.weight',
        ...norm('stem.1'),
        ...cells(reluConvBn),
        'auxiliary_head.features.2.weight',
        ...norm('auxiliary_head.features.3'),
        'auxiliary_head.features.5.weight',
        ...norm('auxiliary_head.features.6'),
        ...linear('auxiliary_head.classifier'),
      ].sort(),
    );
    const shapes = new Map([...network.stateDict()].map(([name, { shape }]) => [name, shape.join()]));
    expect(shapes.get('stem.0.weight')).toBe('12,3,3,3');
    expect(shapes.get('cells.0.preprocess0.op.1.weight')).toBe('4,12,1,1');
    expect(shapes.get('cells.0._ops.0.op.1.weight')).toBe('4,1,3,3');
    expect(shapes.get('cells.1._ops.1.op.5.weight')).toBe('8,1,5,5');
    expect(shapes.get('cells.2.preprocess0.conv_2.weight')).toBe('8,4,1,1');
    expect(shapes.get('auxiliary_head.features.5.weight')).toBe('768,128,2,2');
    network.free();
  });

  it("are those of the authors' NetworkImageNet", () => {
    const network = new DartsNetwork(genotype, IMAGENET, small({ layout: 'imagenet', auxiliary: true }));
    expect([...network.stateDict().keys()].sort()).toEqual(
      [
        'stem0.0.weight',
        ...norm('stem0.1'),
        'stem0.3.weight',
        ...norm('stem0.4'),
        'stem1.1.weight',
        ...norm('stem1.2'),
        ...cells(reduction),
        'auxiliary_head.features.2.weight',
        ...norm('auxiliary_head.features.3'),
        'auxiliary_head.features.5.weight',
        ...linear('auxiliary_head.classifier'),
      ].sort(),
    );
    network.free();
  });
});

describe('a state that PyTorch saved', () => {
  // Generated by fixtures/make-darts.py.
  it.each([
    ['cifar', 'darts', 'cifar'],
    ['imagenet', 'darts', 'imagenet'],
    ['amoebanet', 'amoebanet', 'cifar'],
  ] as const)("loads without changes and gives PyTorch's logits: %s", (name, cells, layout) => {
    const file = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
    const text = readFileSync(file(`${cells}-genotype.txt`), 'utf8');
    const content = readGenotypeText(text, `${cells}-genotype.txt`).content as object;
    const { architecture } = fromArchitectureFile({ space: 'darts-cnn', ...content }, () => dartsCnn);
    const genotype = architecture as DartsGenotype;
    scope(() =>
      noGrad(() => {
        const { tensors } = loadTensors(file(`darts-${name}.safetensors`));
        const [images, logits] = [tensors.get('images')!, tensors.get('logits')!];
        const state = [...tensors].filter(([name]) => name.startsWith('state.'));
        const [, channels, height, width] = images.shape as [number, number, number, number];
        const network = new DartsNetwork(
          genotype,
          { channels, height, width, classes: 5 },
          small({ channels: 2, layers: 6, layout }),
        ).eval();
        network.loadStateDict(new Map(state.map(([name, value]) => [name.slice('state.'.length), value])));
        const expected = logits.toNumbers();
        for (const [index, value] of network.forward(images).toNumbers().entries())
          expect(value).toBeCloseTo(expected[index]!, 5);
        expect(new Set(expected).size).toBe(10);
        network.free();
      }),
    );
  });
});

describe('an operation', () => {
  it('preserves the size with stride 1 and halves it with stride 2, for each of the eight operations', () => {
    scope(() => {
      for (const name of DARTS_OPERATIONS)
        for (const [size, half] of [
          [8, 4],
          [7, 4],
        ] as const) {
          const input = randn([2, 4, size, size], { dtype: 'float32' });
          expect(makeOperation(name, 4, 1, true).forward(input).shape, name).toEqual([2, 4, size, size]);
          expect(makeOperation(name, 4, 2, false).forward(input).shape, name).toEqual([2, 4, half, half]);
        }
    });
  });

  it('reads pixels two apart if it is dilated', () => {
    scope(() => {
      const point = grid(7, 7, (row, column) => (row === 3 && column === 3 ? 1 : 0));
      const dilated = makeOperation('dil_conv_3x3', 1, 1, true).eval();
      makePlain(dilated);
      const seen = (offset: number) => [1, 3, 5].includes(offset);
      close(
        dilated.forward(point).toNumbers(),
        grid(7, 7, (row, column) => (seen(row) && seen(column) ? 1 : 0)).toNumbers(),
      );
      const wide = makeOperation('dil_conv_5x5', 1, 1, true).eval();
      makePlain(wide);
      const far = grid(9, 9, (row, column) => (row === 4 && column === 4 ? 1 : 0));
      close(
        wide.forward(far).toNumbers(),
        grid(9, 9, (row, column) => (row % 2 === 0 && column % 2 === 0 ? 1 : 0)).toNumbers(),
      );
    });
  });

  it('applies a separable convolution twice', () => {
    scope(() => {
      const point = grid(5, 5, (row, column) => (row === 2 && column === 2 ? 1 : 0));
      const twice = makeOperation('sep_conv_3x3', 1, 1, true).eval();
      makePlain(twice);
      // A box filter of size 3 applied twice gives 1 2 3 2 1 along each side.
      close(
        twice.forward(point).toNumbers(),
        grid(5, 5, (row, column) => (3 - Math.abs(row - 2)) * (3 - Math.abs(column - 2))).toNumbers(),
      );
    });
  });

  it('pools the mean or the maximum of the pixels inside the image', () => {
    scope(() => {
      const input = grid(3, 3, (row, column) => 3 * row + column + 1);
      // In the corner: (1 + 2 + 4 + 5) / 4.
      close(makeOperation('avg_pool_3x3', 1, 2, true).forward(input).toNumbers(), [3, 4, 6, 7]);
      close(makeOperation('max_pool_3x3', 1, 2, true).forward(input).toNumbers(), [5, 6, 8, 9]);
    });
  });

  it('reduces by two convolutions, the second on the image shifted by one pixel, and pads odd sizes with zeros', () => {
    scope(() => {
      const reduce = new FactorizedReduce(1, 2, true).eval();
      makePlain(reduce);
      const even = grid(4, 4, (row, column) => 4 * row + column - 1);
      // ReLU turns -1 into 0. Pixels (0,0) (0,2) (2,0) (2,2), then (1,1) (1,3) (3,1) (3,3).
      close(reduce.forward(even).toNumbers(), [0, 1, 7, 9, 4, 6, 12, 14]);
      const odd = grid(3, 3, (row, column) => 3 * row + column + 1);
      close(reduce.forward(odd).toNumbers(), [1, 3, 7, 9, 5, 0, 0, 0]);
      const mixed = grid(2, 3, (row, column) => 3 * row + column + 1);
      close(reduce.forward(mixed).toNumbers(), [1, 3, 5, 0]);
      expect(() => new FactorizedReduce(1, 3, true)).toThrow('an even number of output channels, not 3');
    });
  });
});

describe('a cell', () => {
  it('sums two operations per node on the states given by the genotype, and concatenates the nodes', () => {
    scope(() => {
      const plan = { beforeLast: 1, last: 1, own: 1, reduces: false, lastReduced: false };
      const cell = new Cell(
        [
          ['skip_connect', 1],
          ['skip_connect', 0],
          ['skip_connect', 2],
          ['none', 0],
          ['skip_connect', 1],
          ['skip_connect', 3],
        ],
        [2, 4],
        plan,
      ).eval();
      makePlain(cell);
      // Node 2 is 1 + 10, node 3 equals node 2, node 4 is 10 + 11.
      const made = cell.forward(tensor([[[[1]]]]), tensor([[[[10]]]]), 0);
      expect(made.shape).toEqual([1, 2, 1, 1]);
      close(made.toNumbers(), [11, 21]);
    });
  });

  it('reduces at one third and two thirds of the depth, and doubles the channels there', () => {
    const plans = planCells(20, 36, { channels: 108, reduced: false }, { normal: 4, reduce: 4 });
    expect([...plans.keys()].filter((index) => plans[index]!.reduces)).toEqual([6, 13]);
    expect(plans[0]).toEqual({ beforeLast: 108, last: 108, own: 36, reduces: false, lastReduced: false });
    expect(plans[6]).toEqual({ beforeLast: 144, last: 144, own: 72, reduces: true, lastReduced: false });
    expect(plans[7]).toEqual({ beforeLast: 144, last: 288, own: 72, reduces: false, lastReduced: true });
    expect(plans[19]!.own).toBe(144);
  });
});

describe('dropping paths', () => {
  it('sets whole images to zero and divides the others by the probability of keeping them', () => {
    manualSeed(1);
    scope(() => {
      const dropped = dropPath(ones([4000, 2, 1, 2], { dtype: 'float32' }), 0.2).toNumbers();
      let kept = 0;
      for (let image = 0; image < dropped.length; image += 4) {
        const values = dropped.slice(image, image + 4);
        expect(new Set(values).size).toBe(1);
        if (values[0] !== 0) {
          expect(values[0]).toBeCloseTo(1.25, 6);
          kept++;
        }
      }
      // The expected number is 3200, with a standard deviation of 25.
      expect(Math.abs(kept - 3200)).toBeLessThan(130);
    });
  });

  const plan = { beforeLast: 1, last: 1, own: 1, reduces: false, lastReduced: false };
  const values = (operation: 'skip_connect' | 'max_pool_3x3', training: boolean) =>
    scope(() => {
      const cell = new Cell(
        [
          [operation, 0],
          ['none', 1],
        ],
        [2],
        plan,
      );
      makePlain(cell);
      cell.train(training);
      for (const preprocess of [cell.preprocess0, cell.preprocess1]) preprocess.eval();
      const image = ones([200, 1, 2, 2], { dtype: 'float32' });
      return new Set(cell.forward(image, image, 0.5).toNumbers().map(Math.round));
    });

  it('affects neither identity operations nor evaluation', () => {
    expect(values('max_pool_3x3', true)).toEqual(new Set([0, 2]));
    expect(values('max_pool_3x3', false)).toEqual(new Set([1]));
    expect(values('skip_connect', true)).toEqual(new Set([1]));
  });
});

describe('a network of DARTS', () => {
  it.each([
    ['cifar', 32, 32, 3],
    ['cifar', 27, 21, 1],
    ['cifar', 32, 32, 1],
    ['imagenet', 64, 64, 3],
    ['imagenet', 75, 50, 4],
  ] as const)('gives logits and gradients: %s, %ix%i, %i layers', (layout, height, width, layers) => {
    const shape = { channels: 3, height, width, classes: 5 };
    const network = new DartsNetwork(v2, shape, small({ layout, layers }));
    scope(() => {
      const logits = network.forward(randn([2, 3, height, width], { dtype: 'float32' }));
      expect(logits.shape).toEqual([2, 5]);
      backward(logits.pow(2).sum());
      // Every parameter takes part, even if two adjacent reduction cells are all that follows the stem.
      for (const [name, parameter] of network.namedParameters()) expect(parameter.grad, name).toBeDefined();
    });
    network.free();
  });

  it('gives the same logits for images in channels_last memory format', () => {
    const network = new DartsNetwork(v1, CIFAR, small()).eval();
    scope(() => {
      noGrad(() => {
        const image = randn([2, 3, 32, 32], { dtype: 'float32' });
        const expected = network.forward(image).toNumbers();
        network.to({ memoryFormat: 'channels_last' });
        const found = network.forward(image.to({ memoryFormat: 'channels_last' })).toNumbers();
        for (const [index, value] of found.entries()) expect(value).toBeCloseTo(expected[index]!, 4);
      });
    });
    network.free();
  });

  it('also returns the logits of the auxiliary head in training', () => {
    for (const [layout, size] of [
      ['cifar', 32],
      ['imagenet', 224],
    ] as const) {
      const shape = { channels: 3, height: size, width: size, classes: 5 };
      const network = new DartsNetwork(v2, shape, small({ layout, auxiliary: true }));
      scope(() => {
        const image = randn([2, 3, size, size], { dtype: 'float32' });
        const { logits, auxiliary } = network.forwardWithAuxiliary(image);
        expect(logits.shape).toEqual([2, 5]);
        expect(auxiliary!.shape).toEqual([2, 5]);
        backward(auxiliary!.sum());
        expect((network.auxiliary_head as AuxiliaryHead).classifier.weight.grad).toBeDefined();
        expect(network.classifier.weight.grad).toBeUndefined();
      });
      network.free();
    }
    const plain = new DartsNetwork(v2, CIFAR, small());
    scope(() => {
      const image = fromTypedArray(new Float32Array(2 * 3 * 32 * 32).fill(0.5), [2, 3, 32, 32]);
      expect(Object.keys(plain.forwardWithAuxiliary(image))).toEqual(['logits']);
    });
    plain.free();
  });

  it('states the image sizes and depths that the auxiliary head supports', () => {
    const make = (shape: object, options: Partial<DartsNetworkOptions>) => () =>
      new DartsNetwork(v2, { ...CIFAR, ...shape }, small({ auxiliary: true, ...options }));
    expect(make({ height: 28 }, {})).toThrow(
      "the auxiliary head of layout 'cifar' needs images with sides from 29 to 40 pixels, not 28x32",
    );
    expect(make({}, { layout: 'imagenet' })).toThrow('with sides from 193 to 256 pixels, not 32x32');
    expect(make({}, { layers: 1 })).toThrow(
      'needs a second reduction cell; allowed: 2 layers or more, not 1',
    );
  });
});
