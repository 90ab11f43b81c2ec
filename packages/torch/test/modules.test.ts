import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  backward,
  type Dtype,
  liveTensors,
  manualSeed,
  nn,
  noGrad,
  ones,
  scope,
  type Tensor,
  tensor,
  zeros,
} from '../src/index.js';
import { decode, decodeState, expectTensor, readFixture, type TensorJson } from './fixtures.js';

type State = Record<string, TensorJson>;

const fixture = readFixture<{
  names: string[];
  initial: Record<'conv2d' | 'linear' | 'embedding' | 'lstmCell' | 'batchNorm2d' | 'block', State>;
  conv2d: { state: State; input: TensorJson; output: TensorJson };
  batchNorm2d: { batches: TensorJson[]; outputs: TensorJson[]; state: State; evaluated: TensorJson };
  lstmCell: { state: State; inputs: TensorJson[]; states: [TensorJson, TensorJson][] };
}>('modules.json');

/** The same parts as `Block` of make-fixtures.py, in the same order. */
class Block extends nn.Module {
  readonly scale = new nn.Parameter(ones([1], { dtype: 'float32' }));
  readonly stem = new nn.Sequential(
    new nn.Conv2d(3, 4, 3, { bias: false }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
  );
  readonly branches = [
    new nn.Conv2d(4, 4, 1),
    new nn.Sequential(new nn.Identity(), new nn.BatchNorm2d(4, { affine: false })),
  ] as const;
  readonly cell = new nn.LSTMCell(4, 2);
  readonly symbols = new nn.Embedding(5, 4);
  readonly classifier = new nn.Linear(4, 2);
  readonly sizes = [1, 2, 3];
  readonly title = 'no part of the state';
}

describe('a state dictionary', () => {
  it('has PyTorch\u2019s names', () => {
    const block = new Block();
    expect([...block.stateDict().keys()].sort()).toEqual([...fixture.names].sort());
    block.free();
  });

  it('lists parameters in the order of their declaration', () => {
    const block = new Block();
    const buffers = /running|tracked/;
    expect([...block.namedParameters()].map(([name]) => name)).toEqual(
      fixture.names.filter((name) => !buffers.test(name)),
    );
    expect([...block.namedBuffers()].map(([name]) => name)).toEqual(
      fixture.names.filter((name) => buffers.test(name)),
    );
    const counts = {
      scale: 1,
      conv: 4 * 3 * 9,
      norm: 8,
      branch: 16 + 4,
      cell: 8 * 4 + 8 * 2 + 16,
      symbols: 20,
      last: 10,
    };
    expect(block.parameterCount()).toBe(Object.values(counts).reduce((a, b) => a + b));
    block.free();
  });

  it('lists a shared parameter once', () => {
    const shared = new nn.Linear(2, 2);
    const network = new nn.Sequential(shared, new nn.Tanh(), shared);
    expect(network.parameters()).toEqual([shared.weight, shared.bias]);
    expect([...network.stateDict().keys()]).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
    network.free();
    expect(shared.weight.isLive).toBe(false);
  });

  it('is copied by loadStateDict', () => {
    const [from, to] = [new Block(), new Block()];
    const state = from.stateDict();
    to.loadStateDict(state);
    for (const [name, value] of to.stateDict()) {
      expect(value.toTypedArray(), name).toEqual(state.get(name)?.toTypedArray());
      expect(value.handle).not.toBe(state.get(name)?.handle);
    }
    expect(to.classifier.weight.requiresGrad).toBe(true);
    expect(to.classifier.weight.isLeaf).toBe(true);
    from.free();
    expect(to.classifier.forward(ones([1, 4])).shape).toEqual([1, 2]);
    to.free();
  });

  it('that does not fit is an error that lists every problem, and changes nothing', () => {
    const layer = new nn.Sequential(new nn.Linear(2, 3), new nn.Linear(3, 1));
    const before = layer.stateDict().get('0.weight')?.toNumbers();
    const state = new Map<string, Tensor>([
      ['0.weight', ones([3, 2])],
      ['0.bias', ones([2])],
      ['1.weight', ones([1, 3])],
      ['head.weight', ones([1])],
    ]);
    expect(() => layer.loadStateDict(state)).toThrow(
      'the state does not fit the network: 0.bias has shape [2], the network needs [3]; 1.bias is missing; head.weight is not part of the network',
    );
    expect(layer.stateDict().get('0.weight')?.toNumbers()).toEqual(before);
    layer.free();
  });

  it('with another element type is an error', () => {
    const layer = new nn.Linear(1, 1);
    const state = new Map<string, Tensor>([
      ['weight', ones([1, 1], { dtype: 'float64' })],
      ['bias', ones([1], { dtype: 'int64' })],
    ]);
    expect(() => layer.loadStateDict(state)).toThrow(
      'the state does not fit the network: weight has element type float64, the network needs float32; bias has element type int64, the network needs float32',
    );
    layer.free();
  });

  it('with two values for a shared tensor is an error', () => {
    const shared = new nn.Linear(1, 1);
    const network = new nn.Sequential(shared, shared);
    const state = (value: number) =>
      new Map<string, Tensor>([
        ['0.weight', tensor([[2]])],
        ['0.bias', tensor([3])],
        ['1.weight', tensor([[value]])],
        ['1.bias', tensor([3])],
      ]);
    expect(() => network.loadStateDict(state(4))).toThrow(
      /network: 1\.weight and 0\.weight are one tensor in the network, but differ$/,
    );
    network.loadStateDict(state(2));
    expect(shared.weight.item()).toBe(2);
    network.free();
  });

  it('with many problems is an error that lists the first twenty', () => {
    const layer = new nn.Sequential(...Array.from({ length: 12 }, () => new nn.Linear(1, 1)));
    expect(() => layer.loadStateDict(new Map())).toThrow(
      /: 0\.weight is missing; .*9\.bias is missing; and 4 more$/,
    );
    layer.free();
  });

  it('is all that a module frees', () => {
    const before = liveTensors();
    scope(() => new Block());
    const block = scope(() => new Block());
    expect(liveTensors() - before).toBe(2 * new Set(fixture.names).size);
    block.free();
    expect(liveTensors() - before).toBe(fixture.names.length);
  });
});

describe('initial values are PyTorch\u2019s with the same seed, to the bit', () => {
  it.each<[keyof typeof fixture.initial, number, () => nn.Module]>([
    ['conv2d', 11, () => new nn.Conv2d(6, 4, [3, 5], { groups: 2 })],
    ['linear', 12, () => new nn.Linear(7, 3)],
    ['embedding', 13, () => new nn.Embedding(5, 4)],
    ['lstmCell', 14, () => new nn.LSTMCell(3, 4)],
    ['batchNorm2d', 15, () => new nn.BatchNorm2d(3)],
    ['block', 16, () => new Block()],
  ])('%s', (name, seed, make) => {
    manualSeed(seed);
    const module = make();
    const state = module.stateDict();
    expect(state.size).toBe(Object.keys(fixture.initial[name]).length);
    for (const [key, value] of Object.entries(fixture.initial[name]))
      expectTensor(state.get(key) as Tensor, value);
    module.free();
  });
});

describe('train and eval', () => {
  it('reach every part, in arrays too', () => {
    const block = new Block();
    expect(block.training).toBe(true);
    block.eval();
    const modes = () => [
      block.training,
      block.stem.layers[1]?.training,
      block.branches[1].layers[1]?.training,
    ];
    expect(modes()).toEqual([false, false, false]);
    block.train();
    expect(modes()).toEqual([true, true, true]);
    block.free();
  });
});

describe('moving a module', () => {
  it('changes the type of floating tensors and the format of filters, in place', () => {
    const network = new nn.Sequential(new nn.Conv2d(2, 4, 3), new nn.BatchNorm2d(4));
    const [convolution, norm] = network.layers as [nn.Conv2d, nn.BatchNorm2d];
    const values = convolution.weight.toNumbers();
    const handle = convolution.weight.handle;
    expect(network.to({ memoryFormat: 'channels_last' })).toBe(network);
    expect(convolution.weight.isContiguous('channels_last')).toBe(true);
    expect(convolution.weight.strides).toEqual([18, 1, 6, 2]);
    network.to({ dtype: 'float64' });
    expect([...network.stateDict().values()].map((each) => each.dtype)).toEqual([
      ...Array(6).fill('float64'),
      'int64',
    ]);
    expect(norm.num_batches_tracked?.dtype).toBe('int64');
    expect(convolution.weight.strides).toEqual([18, 1, 6, 2]);
    expect([convolution.weight.handle, convolution.weight.requiresGrad, convolution.weight.isLeaf]).toEqual([
      handle,
      true,
      true,
    ]);
    expect(convolution.weight.toNumbers()).toEqual(values);
    const before = liveTensors();
    scope(() => backward(network.forward(ones([2, 2, 4, 4], { dtype: 'float64' })).sum()));
    expect(liveTensors()).toBe(before);
    expect(convolution.weight.grad?.isContiguous('channels_last')).toBe(true);
    network.free();
  });

  it('moves the gradients too', () => {
    const layer = new nn.Linear(2, 1);
    backward(layer.forward(tensor([[2, 3]])).sum());
    layer.to({ dtype: 'float64' });
    expect(layer.weight.grad?.dtype).toBe('float64');
    backward(layer.forward(tensor([[2, 3]], 'float64')).sum());
    expect(layer.weight.grad?.toNumbers()).toEqual([4, 6]);
    layer.free();
  });

  it.each<Dtype>(['float16', 'bfloat16'])('supports %s', (dtype) => {
    const layer = new nn.Linear(2, 1).to({ dtype });
    expect(layer.weight.dtype).toBe(dtype);
    layer.free();
  });
});

describe('convolution', () => {
  it('with groups, stride, padding and dilation gives PyTorch\u2019s values', () => {
    const layer = new nn.Conv2d(6, 4, [3, 2], {
      stride: [1, 2],
      padding: [2, 1],
      dilation: [2, 1],
      groups: 2,
    });
    layer.loadStateDict(decodeState(fixture.conv2d.state));
    expectTensor(layer.forward(decode(fixture.conv2d.input)), fixture.conv2d.output, 1e-5);
    layer.to({ memoryFormat: 'channels_last' });
    const image = decode(fixture.conv2d.input).to({ memoryFormat: 'channels_last' });
    expectTensor(layer.forward(image), fixture.conv2d.output, 1e-5);
    layer.free();
  });

  it('needs groups that divide its channels', () => {
    expect(() => new nn.Conv2d(6, 4, 3, { groups: 4 })).toThrow(
      '4 groups do not divide 6 inputs and 4 outputs',
    );
  });
});

describe('a pointwise convolution with a stride', () => {
  it('gives the same values with and without recording', () => {
    const layer = new nn.Conv2d(3, 4, 1, { stride: [2, 3] });
    const image = tensor(Array.from({ length: 3 * 5 * 8 }, (_, index) => Math.sin(index))).reshape([
      1, 3, 5, 8,
    ]);
    const plain = noGrad(() => layer.forward(image));
    const recorded = layer.forward(image);
    expect(recorded.shape).toEqual([1, 4, 3, 3]);
    for (const [index, value] of recorded.toNumbers().entries())
      expect(value).toBeCloseTo(plain.toNumbers()[index] as number, 5);
    layer.free();
  });

  it('does not corrupt memory in the backward pass', () => {
    const program = fileURLToPath(new URL('programs/strided-convolutions.mjs', import.meta.url));
    expect(execFileSync(process.execPath, [program], { encoding: 'utf8' })).toBe('done\n');
  });
});

describe('batch norm', () => {
  it('gives PyTorch\u2019s outputs and running statistics', () => {
    const { batches, outputs, state, evaluated } = fixture.batchNorm2d;
    const layer = new nn.BatchNorm2d(3, { momentum: 0.3, epsilon: 1e-3 });
    const affine = decodeState(state);
    layer.loadStateDict(
      new Map(
        [...layer.stateDict()].map(([name, value]) => [
          name,
          /weight|bias/.test(name) ? affine.get(name)! : value,
        ]),
      ),
    );
    for (const [place, batch] of batches.entries())
      expectTensor(layer.forward(decode(batch)), outputs[place] as TensorJson, 1e-5);
    for (const [name, value] of layer.stateDict()) expectTensor(value, state[name] as TensorJson, 1e-6);
    expectTensor(layer.eval().forward(decode(batches[0] as TensorJson)), evaluated, 1e-5);
    for (const [name, value] of layer.stateDict()) expectTensor(value, state[name] as TensorJson, 1e-6);
    layer.free();
  });

  it('of two values a feature gives what a calculation by hand gives', () => {
    const layer = new nn.BatchNorm1d(1, { epsilon: 0 });
    expect(layer.forward(tensor([[1], [5]])).toNumbers()).toEqual([-1, 1]);
    // Mean 3, variance with Bessel's correction 8; each enters with weight 0.1.
    expect(layer.running_mean?.item()).toBeCloseTo(0.3, 6);
    expect(layer.running_var?.item()).toBeCloseTo(0.9 + 0.8, 6);
    expect(layer.num_batches_tracked?.item()).toBe(1);
    layer.free();
  });

  it('without running statistics normalises by the batch in evaluation too', () => {
    const layer = new nn.BatchNorm1d(1, { trackRunningStats: false, affine: false, epsilon: 0 }).eval();
    expect(layer.stateDict().size).toBe(0);
    expect(layer.forward(tensor([[1], [5]])).toNumbers()).toEqual([-1, 1]);
  });

  it('rejects other dimensions, features and element types, and single values, before it counts the batch', () => {
    const layer = new nn.BatchNorm2d(2);
    expect(() => layer.forward(ones([2, 2]))).toThrow(
      'BatchNorm2d takes tensors of 4 dimensions, not one of shape [2, 2]',
    );
    expect(() => layer.forward(ones([1, 2, 1, 1]))).toThrow(
      'BatchNorm2d cannot normalise a batch of shape [1, 2, 1, 1]: a single value of each feature has no variance',
    );
    for (const mode of ['train', 'eval'] as const)
      expect(() => layer[mode]().forward(ones([1, 3, 2, 2]))).toThrow(
        'BatchNorm2d normalises 2 features, but dimension 1 of a tensor of shape [1, 3, 2, 2] has 3',
      );
    layer.train();
    expect(() => layer.forward(ones([1, 2, 2, 2], { dtype: 'float64' }))).toThrow(
      'BatchNorm2d holds float32 weights and takes no float64 tensor; to({ dtype }) converts either of them',
    );
    expect(layer.num_batches_tracked?.item()).toBe(0);
    expect(layer.eval().forward(ones([1, 2, 1, 1])).shape).toEqual([1, 2, 1, 1]);
    expect(() => new nn.BatchNorm1d(2).forward(ones([2]))).toThrow(
      'BatchNorm1d takes tensors of 2 or 3 dimensions',
    );
    layer.free();
  });
});

describe('a layer with weights', () => {
  it.each([
    ['Linear', new nn.Linear(3, 2), [2, 3]],
    ['Conv2d', new nn.Conv2d(3, 2, 1), [2, 3, 4, 4]],
    ['ConvTranspose2d', new nn.ConvTranspose2d(3, 2, 1), [2, 3, 4, 4]],
    ['LayerNorm', new nn.LayerNorm(3), [2, 3]],
    ['GroupNorm', new nn.GroupNorm(1, 3), [2, 3]],
    ['BatchNorm1d', new nn.BatchNorm1d(3, { affine: false }), [2, 3]],
  ] as const)('%s takes the element type of its weights', (name, layer, shape) => {
    scope(() => {
      for (const dtype of ['float64', 'int64'] as const)
        expect(() => layer.forward(ones(shape, { dtype }))).toThrow(
          new TypeError(
            `${name} holds float32 weights and takes no ${dtype} tensor; to({ dtype }) converts either of them`,
          ),
        );
      const wide = layer.to({ dtype: 'float64' });
      expect(wide.forward(ones(shape, { dtype: 'float64' })).dtype).toBe('float64');
      wide.free();
    });
  });
});

describe('the LSTM cell', () => {
  it('gives PyTorch\u2019s states step by step', () => {
    const { state, inputs, states } = fixture.lstmCell;
    const cell = new nn.LSTMCell(3, 4);
    cell.loadStateDict(decodeState(state));
    let [h, c] = (states[0] as [TensorJson, TensorJson]).map(decode) as [Tensor, Tensor];
    for (const [step, input] of inputs.entries()) {
      [h, c] = cell.forward(decode(input), [h, c]);
      const [expectedH, expectedC] = states[step + 1] as [TensorJson, TensorJson];
      expectTensor(h, expectedH, 1e-6);
      expectTensor(c, expectedC, 1e-6);
    }
    cell.free();
  });

  it('draws its parameters within the given bound', () => {
    const cell = new nn.LSTMCell(35, 35, 0.08);
    for (const parameter of cell.parameters()) {
      const values = parameter.toNumbers();
      expect(Math.max(...values)).toBeLessThanOrEqual(Math.fround(0.08));
      expect(Math.max(...values)).toBeGreaterThan(0.07);
      expect(Math.min(...values)).toBeLessThan(-0.07);
    }
    cell.free();
  });
});

describe('pooling', () => {
  const image = tensor([
    [
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
      ],
    ],
  ]);

  it('uses the window size as its stride by default', () => {
    expect(new nn.MaxPool2d(2).forward(image).toNumbers()).toEqual([5]);
    expect(new nn.MaxPool2d(2, { stride: 1 }).forward(image).toNumbers()).toEqual([5, 6, 8, 9]);
    expect(new nn.MaxPool2d([1, 3]).forward(image).toNumbers()).toEqual([3, 6, 9]);
    expect(new nn.MaxPool2d(3, { stride: 2, padding: 1 }).forward(image).toNumbers()).toEqual([5, 6, 8, 9]);
    expect(new nn.MaxPool2d(2, { dilation: 2 }).forward(image).toNumbers()).toEqual([9]);
    expect(new nn.AvgPool2d(2).forward(image).toNumbers()).toEqual([3]);
  });

  it('includes the zeros of the padding in a mean, or leaves them out', () => {
    const corner = (countIncludePad: boolean) =>
      new nn.AvgPool2d(3, { stride: 2, padding: 1, countIncludePad }).forward(image).toNumbers();
    expect(corner(false)).toEqual([3, 4, 6, 7]);
    expect(corner(true)).toEqual([3, 4, 6, 7].map((mean) => Math.fround((mean * 4) / 9)));
  });

  it('adapts its windows to the output', () => {
    expect(new nn.AdaptiveAvgPool2d(1).forward(image).toNumbers()).toEqual([5]);
    expect(new nn.AdaptiveAvgPool2d([3, 1]).forward(image).toNumbers()).toEqual([2, 5, 8]);
  });
});

describe('dropout', () => {
  it('zeroes values with its probability and scales the rest in training, and does nothing in evaluation', () => {
    manualSeed(3);
    const dropout = new nn.Dropout(0.3);
    const count = 100_000;
    const kept = dropout.forward(ones([count])).toNumbers();
    const survivors = kept.filter((value) => value !== 0);
    expect(new Set(survivors)).toEqual(new Set([Math.fround(1 / 0.7)]));
    // Five standard deviations of a binomial variable.
    expect(Math.abs(survivors.length - 0.7 * count)).toBeLessThan(5 * Math.sqrt(count * 0.3 * 0.7));
    expect(
      dropout
        .eval()
        .forward(ones([3]))
        .toNumbers(),
    ).toEqual([1, 1, 1]);
  });

  it('depends on the seed alone', () => {
    const drawn = (seed: number) => {
      manualSeed(seed);
      return new nn.Dropout(0.5).forward(ones([64])).toNumbers();
    };
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  });

  it('accepts probabilities from 0 to 1 only', () => {
    expect(new nn.Dropout(0).forward(ones([3])).toNumbers()).toEqual([1, 1, 1]);
    expect(new nn.Dropout(1).forward(ones([3])).toNumbers()).toEqual([0, 0, 0]);
    for (const p of [-0.1, 1.1, NaN]) expect(() => new nn.Dropout(p)).toThrow(`not ${p}`);
  });
});

describe('the other layers', () => {
  it('compute what their names say', () => {
    const x = tensor([[-1, 0, 2]]);
    expect(new nn.ReLU().forward(x).toNumbers()).toEqual([0, 0, 2]);
    expect(new nn.Sigmoid().forward(zeros([1])).toNumbers()).toEqual([0.5]);
    expect(new nn.Tanh().forward(zeros([1])).toNumbers()).toEqual([0]);
    expect(new nn.Identity().forward(x)).toBe(x);
    expect(new nn.Flatten().forward(zeros([2, 3, 4])).shape).toEqual([2, 12]);
    const embedding = new nn.Embedding(3, 2);
    const rows = embedding.weight.toNumbers();
    expect(embedding.forward(tensor([[2], [0]], 'int64')).toNumbers()).toEqual([
      ...rows.slice(4),
      ...rows.slice(0, 2),
    ]);
    expect(() => embedding.forward(tensor([3], 'int64'))).toThrow(
      'aten::embedding: index out of range in self',
    );
    embedding.free();
  });
});
