import {
  backward,
  grad,
  manualSeed,
  noGrad,
  randn,
  scope,
  setThreads,
  type Tensor,
  tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { autoDeepLabS } from '../../src/hub/auto-deeplab-s.js';
import type { AutoDeepLab, Block, UntiedAutoDeepLab } from '../../src/networks/auto-deeplab/architecture.js';
import { AutoDeepLabNetwork } from '../../src/networks/auto-deeplab/network.js';
import { OPERATIONS, type OperationName } from '../../src/networks/auto-deeplab/operations.js';
import { resize } from '../../src/networks/auto-deeplab/resize.js';
import { multiplyAdds } from '../../src/networks/multiply-adds.js';
import { traceClassifier } from '../../src/networks/operator-trace.js';
import { Space } from '../../src/space/space.js';
import { autoDeepLab } from '../../src/spaces/auto-deeplab.js';
import { type AutoDeepLabChoices, AutoDeepLabSupernet } from '../../src/supernets/auto-deeplab.js';
import { expectGradients } from '../networks/finite-differences.js';
import { type Map3, SupernetInNumbers, type Weighting } from './auto-deeplab-in-numbers.js';

setThreads(1);

const SIDE = 17;
const SHAPE = { channels: 3, height: SIDE, width: SIDE, classes: 2 };
const CITYSCAPES = { channels: 3, height: 321, width: 321, classes: 19 };
const OPTIONS = { layers: 4, blocks: 2, filterMultiplier: 1, firstLayerMayHalve: false };

/** A supernet in float64 with random weights, norms and architecture parameters. */
function supernetOf(options: object = {}, choices: AutoDeepLabChoices = {}): AutoDeepLabSupernet {
  manualSeed(2);
  const supernet = new AutoDeepLabSupernet(SHAPE, { ...OPTIONS, ...options }, choices);
  supernet.to({ dtype: 'float64' });
  const { cell, trellis } = supernet.architectureParameters();
  scope(() =>
    noGrad(() => {
      for (const [name, value] of supernet.stateDict()) {
        if (name.endsWith('num_batches_tracked')) continue;
        const random = randn(value.shape, { dtype: 'float64' });
        if (name.endsWith('running_var')) value.copy_(random.square().add(0.5));
        else if (value.shape.length === 1) value.copy_(random);
        else value.add_(random.mul(0.1));
      }
      for (const parameter of [cell, trellis]) parameter.copy_(randn(parameter.shape, { dtype: 'float64' }));
    }),
  );
  return supernet;
}

/** Batch norm that changes nothing in evaluation, and no biases. */
function neutral(supernet: AutoDeepLabSupernet): void {
  noGrad(() => {
    for (const [name, value] of supernet.stateDict()) {
      if (name.endsWith('running_mean') || name.endsWith('bias')) value.fill_(0);
      if (name.endsWith('running_var')) value.fill_(1);
    }
  });
}

const images = (count: number) => randn([count, 3, SIDE, SIDE], { dtype: 'float64' });

/** The numbers of a tensor, nested as its shape is. */
function nested(values: readonly number[], [, ...rest]: readonly number[]): unknown[] {
  if (rest.length === 0) return [...values];
  const size = rest.reduce((all, length) => all * length, 1);
  return Array.from({ length: values.length / size }, (_, place) =>
    nested(values.slice(place * size, (place + 1) * size), rest),
  );
}
const numbersOf = (value: Tensor) => nested(value.toNumbers(), value.shape);

/** Expects the supernet's logits for one image to equal those in plain numbers. */
function expectPlainNumbers(
  supernet: AutoDeepLabSupernet,
  options: ConstructorParameters<typeof SupernetInNumbers>[1],
  weighting: (supernet: AutoDeepLabSupernet) => Weighting,
  forward: (image: Tensor) => Tensor,
): void {
  scope(() => {
    const image = images(1);
    const plain = new SupernetInNumbers(supernet.stateDict(), options);
    const expected = plain.logits(numbersOf(image)[0] as Map3, weighting(supernet)).flat(2);
    const found = forward(image).toNumbers();
    expect(found.length).toBe(2 * SIDE * SIDE);
    const largest = Math.max(...expected.map(Math.abs));
    for (const [index, value] of found.entries())
      expect(Math.abs(value - expected[index]!) / largest).toBeLessThan(1e-11);
    expect(new Set(found.map((value) => Math.round((value / largest) * 1e6))).size).toBeGreaterThan(100);
  });
}

/** The parameters and multiply-adds of a supernet for an image of 64 k + 1 pixels a side, from the paper's description. */
function arithmetic(layers: number, blocks: number, multiplier: number, classes: number, side: number) {
  const pixels = (stride: number) => ((side - 1) / stride + 1) ** 2;
  let [params, macs] = [0, 0];
  const convolution = (weights: number, at: number) => {
    params += weights;
    macs += weights * at;
  };
  convolution(9 * 3 * 64, pixels(2));
  convolution(9 * 64 * 64, pixels(2));
  convolution(9 * 64 * 128, pixels(4));
  params += 2 * (64 + 64 + 128);
  const filters = (level: number) => multiplier * 2 ** level;
  const top = (layer: number) => Math.max(0, Math.min(layer, 3));
  const channels = (layer: number, level: number) => (layer < 0 ? 64 * (layer + 3) : filters(level) * blocks);
  for (let layer = 0; layer < layers; layer++)
    for (let level = 0; level <= top(layer); level++) {
      const [f, own] = [filters(level), pixels(4 << level)];
      const transitions = [level - 1, level, level + 1].filter((from) => from >= 0 && from <= top(layer - 1));
      for (const from of transitions)
        convolution((from < level ? 9 : 1) * channels(layer - 1, from) * f, own);
      const hasBefore = level <= top(layer - 2);
      if (hasBefore) convolution(channels(layer - 2, level) * f, own);
      const operations = 2 * (9 * f + f * f) + 2 * (25 * f + f * f) + 9 * f * f + 25 * f * f;
      for (let block = 0; block < blocks; block++) {
        params += (block + 1 + Number(hasBefore)) * operations;
        // The edge from two layers before is the same for all transitions.
        macs += ((block + 1) * transitions.length + Number(hasBefore)) * operations * own;
      }
    }
  for (let level = 0; level <= top(layers - 1); level++) {
    const [c, own] = [filters(level) * blocks, pixels(4 << level)];
    convolution(c * c, 1);
    convolution(c * c, own);
    convolution(9 * c * c, own);
    convolution(3 * c * c, own);
    convolution(c * classes, own);
    params += 4 * 2 * c + classes;
  }
  return { params, macs };
}

describe('the supernet of auto-deeplab', () => {
  it('has the size that follows from the description of the search', () => {
    const options = { layers: 12, blocks: 5, filterMultiplier: 8, firstLayerMayHalve: false };
    const supernet = new AutoDeepLabSupernet(CITYSCAPES, options);
    const { params } = arithmetic(12, 5, 8, 19, 321);
    expect(supernet.parameterCount()).toBe(params);
    const { cell, trellis } = supernet.architectureParameters();
    expect([cell.shape, trellis.shape]).toEqual([
      [20, 8],
      [12, 4, 3],
    ]);
    supernet.free();
  });

  it('takes as many multiply-adds as its convolutions do', () => {
    const supernet = new AutoDeepLabSupernet(
      { ...CITYSCAPES, height: 65, width: 65 },
      { layers: 5, blocks: 3, filterMultiplier: 2, firstLayerMayHalve: false },
    );
    const { calls } = traceClassifier(supernet, { ...CITYSCAPES, height: 65, width: 65 });
    expect({ params: supernet.parameterCount(), macs: multiplyAdds(calls) }).toEqual(
      arithmetic(5, 3, 2, 19, 65),
    );
    supernet.free();
  });

  it('has batch norm after every operation that changes its input, within cells without scale and shift', () => {
    const supernet = supernetOf();
    const names = [...supernet.stateDict().keys()];
    const inCells = names.filter((name) => name.startsWith('layers.'));
    expect(inCells.filter((name) => name.endsWith('bn.weight') || name.endsWith('bias'))).toEqual([]);
    const normalised = inCells
      .filter((name) => name.startsWith('layers.0.cells.0.edges.0.') && name.endsWith('running_mean'))
      .map((name) => OPERATIONS[Number(name.split('.')[7])]);
    expect(new Set(normalised)).toEqual(
      new Set(OPERATIONS.filter((name) => name !== 'none' && name !== 'skip_connect')),
    );
    supernet.free();
  });

  it('starts near the even mixture', () => {
    const supernet = new AutoDeepLabSupernet(SHAPE, OPTIONS);
    const { cell, trellis } = supernet.architectureParameters();
    for (const value of scope(() => [...cell.toNumbers(), ...trellis.toNumbers()]))
      expect(Math.abs(value)).toBeLessThan(0.006);
    supernet.free();
  });

  it.each<[string, object, AutoDeepLabChoices]>([
    ['whose first layer is at stride 4', { layers: 5 }, {}],
    ['whose first layer is at stride 4 or 8', { firstLayerMayHalve: true }, {}],
    ['with a cell for each layer', { cellPerLayer: true }, {}],
    ['that loses the share of moves out of it', {}, { border: 'all' }],
    ['whose cells read the nearest map two layers before', { blocks: 3 }, { secondInput: 'nearest' }],
    ['with image pooling without batch norm', { layers: 2 }, { imagePooling: 'plain' }],
    ['without image pooling', { layers: 2 }, { imagePooling: 'none' }],
    ['with a thin stem', { layers: 2, stemChannels: 3 }, {}],
    ['that is computed again', {}, { recompute: true }],
  ])('is formula 6 in plain numbers, for a trellis %s', (_, changes, choices) => {
    const options = { ...OPTIONS, ...changes, ...choices };
    const supernet = supernetOf(options, choices).eval();
    const weighting = (): Weighting => {
      const { cell, trellis } = supernet.architectureParameters();
      return { alphas: numbersOf(cell) as number[][], betas: numbersOf(trellis) as number[][][] };
    };
    expectPlainNumbers(supernet, options, weighting, (image) => supernet.forward(image));
    supernet.free();
  });

  // Up and down, with and without a map of the same stride two layers before.
  it.each([[[0, 0, 1, 0, 0]], [[0, 1, 1, 1, 2]], [[0, 1, 2, 3, 2]], [[0, 1, 2, 1, 0]]])(
    'is the cells on the path %j in plain numbers',
    (path) => {
      const options = { ...OPTIONS, layers: 5, blocks: 4, filterMultiplier: 3 };
      const architecture: AutoDeepLab = {
        path,
        cell: [
          [0, 1, 'sep_conv_3x3', 'max_pool_3x3'],
          // The same input twice, and the same operation on it twice.
          [0, 0, 'atrous_conv_5x5', 'atrous_conv_5x5'],
          [1, 1, 'skip_connect', 'avg_pool_3x3'],
          [4, 2, 'sep_conv_5x5', 'none'],
        ],
      };
      const supernet = supernetOf(options).eval();
      expectPlainNumbers(
        supernet,
        options,
        () => architecture,
        (image) => supernet.forwardPath(image, architecture),
      );
      supernet.free();
    },
  );

  it('equals the network that is built, except for the head, on a path that stays at stride 4', () => {
    const architecture: AutoDeepLab = {
      path: [0, 0, 0, 0],
      cell: (autoDeepLabS.architecture as AutoDeepLab).cell,
    };
    const supernet = supernetOf({ blocks: 5 });
    const built = new AutoDeepLabNetwork(architecture, SHAPE, { filterMultiplier: 1 }).to({
      dtype: 'float64',
    });
    const shared = supernet.stateDict();
    noGrad(() => {
      for (const [name, value] of built.stateDict()) {
        const from = sharedName(name, architecture.cell);
        if (from !== undefined && shared.has(from)) value.copy_(shared.get(from)!);
      }
    });
    const head = supernet.heads[0]!.eval();
    scope(() => {
      const image = images(2);
      const { half, quarter } = built.stem.forward(image);
      const outputs = [half, quarter];
      for (const cell of built.cells) outputs.push(cell.forward(outputs.at(-1)!, outputs.at(-2)!, 0));
      const expected = resize(head.forward(outputs.at(-1)!), [SIDE, SIDE]).toNumbers();
      const found = supernet.forwardPath(image, architecture).toNumbers();
      for (const [index, value] of found.entries()) expect(value).toBeCloseTo(expected[index]!, 9);
    });
    built.free();
    supernet.free();
  });

  it('equals the sampled path when the softmax has decided for it and nothing else has a value', () => {
    const supernet = supernetOf().eval();
    neutral(supernet);
    // Edges from two layers before would bring in maps that are not on the path.
    const architecture: AutoDeepLab = {
      path: [0, 1, 2, 1],
      cell: [
        [0, 0, 'sep_conv_3x3', 'none'],
        [2, 0, 'atrous_conv_3x3', 'skip_connect'],
      ],
    };
    const { cell, trellis } = supernet.architectureParameters();
    const chosen: OperationName[] = ['sep_conv_3x3', 'none', 'skip_connect', 'none', 'atrous_conv_3x3'];
    scope(() =>
      noGrad(() => {
        cell.copy_(
          tensor(
            chosen.map((own) => OPERATIONS.map((name) => (name === own ? 1000 : 0))),
            'float64',
          ),
        );
        decidePath(trellis, architecture.path);
      }),
    );
    scope(() => {
      const image = images(1);
      const path = supernet.forwardPath(image, architecture).toNumbers();
      expect(new Set(path).size).toBeGreaterThan(100);
      for (const [index, value] of supernet.forward(image).toNumbers().entries())
        expect(value).toBeCloseTo(path[index]!, 9);
    });
    supernet.free();
  });

  it('has the gradients of central differences for all architecture parameters that are read', () => {
    const supernet = supernetOf({ layers: 3 });
    const { cell, trellis } = supernet.architectureParameters();
    scope(() => {
      const image = images(2);
      const weights = randn([2, 2, SIDE, SIDE], { dtype: 'float64' }).mul(0.05);
      const loss = () => {
        manualSeed(4);
        return supernet.forward(image).mul(weights).sum();
      };
      expectGradients(
        loss,
        new Map([
          ['cell', cell],
          ['trellis', trellis],
        ]),
        18,
      );
      backward(loss());
      expect(cell.grad!.toNumbers().every((gradient) => gradient !== 0)).toBe(true);
      const read = numbersOf(trellis.grad!) as number[][][];
      const places = read.flatMap((ofLayer, layer) =>
        ofLayer.flatMap((ofLevel, from) =>
          ofLevel.flatMap((gradient, move) => (gradient === 0 ? [] : [[layer, from, from + move - 1]])),
        ),
      );
      expect(places).toEqual([
        // From stride 4 one must choose in layer 1, from 4 and 8 in layer 2; the first layer has one level.
        [1, 0, 0],
        [1, 0, 1],
        [2, 0, 0],
        [2, 0, 1],
        [2, 1, 0],
        [2, 1, 1],
        [2, 1, 2],
      ]);
    });
    supernet.free();
  });

  it('gives gradients to every weight that a path or the mixture goes through', () => {
    const supernet = supernetOf({ layers: 5 });
    scope(() => backward(supernet.forward(images(2)).square().sum()));
    for (const [name, { grad }] of supernet.namedParameters()) expect(grad, name).toBeDefined();
    for (const parameter of supernet.parameters()) parameter.grad = undefined;
    const path: AutoDeepLab = {
      path: [0, 1, 1, 1, 0],
      cell: [
        [1, 0, 'sep_conv_5x5', 'none'],
        [0, 2, 'skip_connect', 'atrous_conv_3x3'],
      ],
    };
    scope(() => backward(supernet.forwardPath(images(2), path).square().sum()));
    const trained = [...supernet.namedParameters()].flatMap(([name, { grad }]) =>
      grad !== undefined && name.startsWith('layers.') ? [name.split('.').slice(1, 8).join('.')] : [],
    );
    expect(new Set(trained)).toEqual(
      new Set([
        // The stem's map of stride 2 stands for a layer before the first.
        '0.cells.0.previous.0.conv.weight',
        '0.cells.0.before.conv.weight',
        '0.cells.0.edges.1._ops.5',
        '0.cells.0.edges.4._ops.6',
        '1.cells.1.previous.0.conv.weight',
        '1.cells.1.edges.4._ops.6',
        '2.cells.1.previous.1.conv.weight',
        '2.cells.1.edges.4._ops.6',
        // Two layers before, the path was at this stride too.
        '3.cells.1.previous.1.conv.weight',
        '3.cells.1.before.conv.weight',
        '3.cells.1.edges.1._ops.5',
        '3.cells.1.edges.4._ops.6',
        '4.cells.0.previous.1.conv.weight',
        '4.cells.0.edges.4._ops.6',
      ]),
    );
    supernet.free();
  });

  it('derives the two strongest inputs of each block and the most probable path', () => {
    const supernet = supernetOf({ layers: 3 });
    const { cell, trellis } = supernet.architectureParameters();
    const alphas = Array.from({ length: 5 }, () => OPERATIONS.map(() => 0));
    alphas[0]![OPERATIONS.indexOf('sep_conv_5x5')] = 1;
    alphas[1]![OPERATIONS.indexOf('skip_connect')] = 2;
    // 'none' does not count, but takes weight from the other operations of its edge.
    alphas[2]![OPERATIONS.indexOf('none')] = 9;
    alphas[2]![OPERATIONS.indexOf('avg_pool_3x3')] = 5;
    alphas[3]![OPERATIONS.indexOf('atrous_conv_3x3')] = 0.5;
    alphas[4]![OPERATIONS.indexOf('max_pool_3x3')] = 0.4;
    const betas = Array.from({ length: 3 }, () => Array.from({ length: 4 }, () => [0, 0, 0]));
    // The strongest transitions would lead out of the trellis. From stride 4 to itself 0.6, to stride 8 0.4; from stride 8 to
    // itself 0.9, from stride 4 to itself 0.5: 0.36 against 0.3, which following the strongest step would give.
    betas[1]![0] = [9, Math.log(6), Math.log(4)];
    betas[2]![0] = [9, 0, 0];
    betas[2]![1] = [Math.log(0.5), Math.log(9), Math.log(0.5)];
    scope(() =>
      noGrad(() => {
        cell.copy_(tensor(alphas, 'float64'));
        trellis.copy_(tensor(betas, 'float64'));
      }),
    );
    const derived = supernet.derive();
    expect(supernet.derive()).toEqual({
      path: [0, 1, 1],
      cell: [
        [1, 0, 'skip_connect', 'sep_conv_5x5'],
        [1, 2, 'atrous_conv_3x3', 'max_pool_3x3'],
      ],
    });
    const space = Space.configure(autoDeepLab, { layers: 3, blocks: 2 });
    expect(space.validate(derived)).toEqual(derived);
    supernet.free();
  });

  it('never keeps none, unless it may win', () => {
    const alphas = Array.from({ length: 5 }, () => OPERATIONS.map(() => 0));
    // The first block: none leads on the edge from H^{l-1}, and a pooling on the other.
    alphas[0]![OPERATIONS.indexOf('none')] = 3;
    alphas[0]![OPERATIONS.indexOf('sep_conv_3x3')] = 2;
    alphas[1]![OPERATIONS.indexOf('max_pool_3x3')] = 2;
    const firstBlock = (choices: AutoDeepLabChoices) => {
      const supernet = supernetOf({}, choices);
      noGrad(() => supernet.architectureParameters().cell.copy_(tensor(alphas, 'float64')));
      const { cell } = supernet.derive() as AutoDeepLab;
      supernet.free();
      return cell[0];
    };
    expect(firstBlock({})).toEqual([1, 0, 'max_pool_3x3', 'sep_conv_3x3']);
    expect(firstBlock({ noneWins: true })).toEqual([1, 0, 'max_pool_3x3', 'none']);
  });

  it('derives a cell for each layer from the alphas of the layer', () => {
    const supernet = supernetOf({ layers: 2, cellPerLayer: true });
    const alphas = Array.from({ length: 2 * 5 }, () => OPERATIONS.map(() => 0));
    for (let edge = 0; edge < 5; edge++) {
      alphas[edge]![OPERATIONS.indexOf('sep_conv_5x5')] = 1 + edge;
      alphas[5 + edge]![OPERATIONS.indexOf('avg_pool_3x3')] = 9 - edge;
    }
    noGrad(() => supernet.architectureParameters().cell.copy_(tensor(alphas, 'float64')));
    const { cells } = supernet.derive() as UntiedAutoDeepLab;
    expect(cells).toEqual([
      [
        [1, 0, 'sep_conv_5x5', 'sep_conv_5x5'],
        [2, 1, 'sep_conv_5x5', 'sep_conv_5x5'],
      ],
      [
        [0, 1, 'avg_pool_3x3', 'avg_pool_3x3'],
        [0, 1, 'avg_pool_3x3', 'avg_pool_3x3'],
      ],
    ]);
    const space = Space.configure(autoDeepLab, { layers: 2, blocks: 2, cellPerLayer: true });
    const derived = supernet.derive();
    expect(space.validate(derived)).toEqual(derived);
    expect(supernet.choices().cell.nodes.at(-1)).toEqual({ edges: [7, 8, 9], keeps: 2 });
    supernet.free();
  });

  it('tells the weights of the moves that exist, and of no others', () => {
    const trellisOf = (choices: AutoDeepLabChoices) => {
      const supernet = supernetOf({ layers: 3 }, choices);
      const { trellis } = supernet.architectureParameters();
      noGrad(() => trellis.fill_(0));
      const weights = supernet.ownWeights().trellis.map((row) => row.map((weight) => Math.round(6 * weight)));
      supernet.free();
      return weights;
    };
    // Sixths. A softmax over three moves at the border would give 2, 2 in place of 3, 3: two thirds of what belongs there.
    const none = [0, 0, 0];
    expect(trellisOf({})).toEqual([
      ...[[0, 6, 0], none, none, none],
      ...[[0, 3, 3], none, none, none],
      ...[[0, 3, 3], [2, 2, 2], none, none],
    ]);
    expect(trellisOf({ border: 'all' })).toEqual([
      ...[[0, 2, 0], none, none, none],
      ...[[0, 2, 2], none, none, none],
      ...[[0, 2, 2], [2, 2, 2], none, none],
    ]);
  });

  it('has the gradients, losses and running statistics of the same pass when it is computed again', () => {
    const pass = (recompute: boolean) => {
      const supernet = supernetOf({ layers: 4, firstLayerMayHalve: true }, { recompute });
      const { cell, trellis } = supernet.architectureParameters();
      const leaves = [...supernet.parameters(), cell, trellis];
      const found = scope(() => {
        manualSeed(7);
        const loss = supernet.forward(images(2)).square().mean();
        backward(loss);
        const ofArchitecture = grad(supernet.forward(images(2)).square().mean(), [cell, trellis]);
        return {
          exact: [loss.item(), ...[...supernet.stateDict().values()].map((value) => value.toNumbers())],
          gradients: [...leaves.map((parameter) => parameter.grad!), ...ofArchitecture].flatMap((gradient) =>
            gradient.toNumbers(),
          ),
        };
      });
      supernet.free();
      return found;
    };
    const [kept, again] = [pass(false), pass(true)];
    expect(again.exact).toEqual(kept.exact);
    // Gradients are added up in another order.
    expect(again.gradients.length).toBe(kept.gradients.length);
    const [largest, difference] = [
      kept.gradients,
      kept.gradients.map((one, at) => one - again.gradients[at]!),
    ].map((values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)) as [number, number];
    expect(difference / largest).toBeLessThan(1e-13);
  });

  it('derives a path that starts at stride 8 only where the first layer may halve', () => {
    for (const [firstLayerMayHalve, path] of [
      [true, [1]],
      [false, [0]],
    ] as const) {
      const supernet = supernetOf({ layers: 1, firstLayerMayHalve });
      const { trellis } = supernet.architectureParameters();
      scope(() =>
        noGrad(() => trellis.copy_(tensor([Array.from({ length: 4 }, () => [0, 0, 5])], 'float64'))),
      );
      expect(supernet.derive().path).toEqual(path);
      supernet.free();
    }
  });

  it('frees its architecture parameters and moves them with its own', () => {
    const supernet = supernetOf();
    const { cell, trellis } = supernet.architectureParameters();
    expect([cell.dtype, trellis.dtype]).toEqual(['float64', 'float64']);
    supernet.free();
    expect([cell.isLive, trellis.isLive]).toEqual([false, false]);
  });
});

/** The supernet's name for a tensor of a network whose path stays at level 0; undefined for the head. */
function sharedName(name: string, cell: readonly Block[]): string | undefined {
  const parts = name.split('.');
  if (parts[0] === 'stem') return name;
  if (parts[0] !== 'cells') return undefined;
  const [, layer, part, ...rest] = parts;
  if (part !== 'blocks')
    return [`layers.${layer}.cells.0`, part === 'previous' ? 'previous.0' : part, ...rest].join('.');
  const [block, which, ...weight] = rest;
  const [first, second, onFirst, onSecond] = cell[Number(block)]!;
  const [input, operation] = which === 'first' ? [first, onFirst] : [second, onSecond];
  const edge = [0, 2, 5, 9, 14][Number(block)]! + input;
  return [`layers.${layer}.cells.0.edges.${edge}._ops.${OPERATIONS.indexOf(operation)}`, ...weight].join('.');
}

/** Raises the transitions along a path so far that the softmax gives them everything. */
function decidePath(trellis: Tensor, path: readonly number[]): void {
  const betas = path.map((level, layer) => {
    const from = path[layer - 1] ?? 0;
    return Array.from({ length: 4 }, (_, other) =>
      [-1, 0, 1].map((move) => (other === from && other + move === level ? 1000 : 0)),
    );
  });
  trellis.copy_(tensor(betas, 'float64'));
}
