import { describe, expect, it } from 'vitest';
import { type Dtype, manualSeed, nn, ones, scope, type Tensor, tensor, zeros } from '../src/index.js';
import { decode, decodeState, expectTensor, readFixture, type TensorJson } from './fixtures.js';
import { SqueezeExcitation, TransformerBlock } from './layer-compositions.js';

type State = Record<string, TensorJson>;

const fixture = readFixture<{
  initial: Record<string, State>;
  layers: Record<string, { state: State; inputs: TensorJson[]; output: TensorJson }>;
  masks: Record<'hidden' | 'padding' | 'scores' | 'eachHead', TensorJson>;
  dropout: { state: State; input: TensorJson; seed: number; output: TensorJson };
}>('layers.json');

const attention = (options = {}) => new nn.MultiheadAttention(6, 2, options);
const mask = (name: keyof typeof fixture.masks) => decode(fixture.masks[name]);
/** PyTorch's layer takes [N heads, L, S], one mask for each example and head. */
const eachHead = () => mask('eachHead').reshape([2, 2, 3, 4]);

type Run = (module: never, inputs: readonly [Tensor, Tensor, Tensor]) => Tensor;
const alone: Run = (layer: nn.Layer, [input]) => layer.forward(input);
const attending =
  (options: () => nn.AttentionOptions = () => ({})): Run =>
  (layer: nn.MultiheadAttention, [query, key, value]) =>
    layer.forward(query, key, value, options());

/** How each layer of the fixture is made and run here. */
const layers: Record<string, readonly [make: () => nn.Module, run?: Run]> = {
  ReLU6: [() => new nn.ReLU6()],
  LeakyReLU: [() => new nn.LeakyReLU()],
  'LeakyReLU of another slope': [() => new nn.LeakyReLU(0.2)],
  GELU: [() => new nn.GELU()],
  'GELU by tanh': [() => new nn.GELU({ approximate: 'tanh' })],
  SiLU: [() => new nn.SiLU()],
  Hardswish: [() => new nn.Hardswish()],
  Hardsigmoid: [() => new nn.Hardsigmoid()],
  'Softmax over channels': [() => new nn.Softmax(1)],
  'Softmax over the last dimension': [() => new nn.Softmax(-1)],
  LayerNorm: [() => new nn.LayerNorm(3)],
  'LayerNorm over several dimensions': [() => new nn.LayerNorm([2, 3], { epsilon: 0.1 })],
  'LayerNorm without scale and shift': [() => new nn.LayerNorm(3, { affine: false })],
  GroupNorm: [() => new nn.GroupNorm(2, 4)],
  'GroupNorm of one group': [() => new nn.GroupNorm(1, 4, { epsilon: 0.1 })],
  'GroupNorm of single channels, without scale and shift': [() => new nn.GroupNorm(4, 4, { affine: false })],
  ConvTranspose2d: [() => new nn.ConvTranspose2d(4, 3, 3)],
  'ConvTranspose2d with everything': [
    () =>
      new nn.ConvTranspose2d(4, 6, [3, 2], {
        stride: [2, 3],
        padding: [1, 0],
        outputPadding: [1, 2],
        dilation: [2, 1],
        groups: 2,
      }),
  ],
  'ConvTranspose2d without bias': [() => new nn.ConvTranspose2d(4, 3, 2, { stride: 2, bias: false })],
  'Upsample to the nearest': [() => new nn.Upsample({ size: [7, 4] })],
  'Upsample by factors': [() => new nn.Upsample({ scaleFactor: [2, 1.5] })],
  'Upsample, bilinear': [() => new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' })],
  'Upsample, bilinear with corners': [
    () => new nn.Upsample({ size: [5, 9], mode: 'bilinear', alignCorners: true }),
  ],
  MultiheadAttention: [attention],
  'MultiheadAttention without bias': [() => attention({ bias: false })],
  'MultiheadAttention of another key': [
    attention,
    (layer: nn.MultiheadAttention, [query, key]) => layer.forward(query, key),
  ],
  'MultiheadAttention of another key and value': [attention, attending()],
  'MultiheadAttention with a causal mask': [attention, attending(() => ({ causal: true }))],
  'MultiheadAttention with hidden positions': [attention, attending(() => ({ mask: mask('hidden') }))],
  'MultiheadAttention with padding': [
    attention,
    attending(() => ({ mask: mask('padding').reshape([2, 1, 1, 4]) })),
  ],
  'MultiheadAttention with added scores': [attention, attending(() => ({ mask: mask('scores') }))],
  'MultiheadAttention with scores for each head': [attention, attending(() => ({ mask: eachHead() }))],
  'MultiheadAttention in evaluation': [() => attention({ dropout: 0.5 }).eval()],
  'squeeze and excitation': [() => new SqueezeExcitation(4, 2)],
  'a transformer block': [() => new TransformerBlock()],
};

describe('a layer with PyTorch\u2019s state gives PyTorch\u2019s result', () => {
  it.each(Object.entries(fixture.layers))('%s', (name, { state, inputs, output }) => {
    const [make, run = alone] = layers[name]!;
    const module = make();
    scope(() => {
      module.loadStateDict(decodeState(state));
      const result = run(module as never, inputs.map(decode) as [Tensor, Tensor, Tensor]);
      expectTensor(result, output, 2e-6);
    });
    module.free();
  });

  it('in channels_last as well', () => {
    for (const name of ['ConvTranspose2d with everything', 'GroupNorm', 'Upsample, bilinear']) {
      const { state, inputs, output } = fixture.layers[name]!;
      const layer = layers[name]![0]() as nn.Layer;
      scope(() => {
        layer.loadStateDict(decodeState(state));
        layer.to({ memoryFormat: 'channels_last' });
        const image = decode(inputs[0]!).to({ memoryFormat: 'channels_last' });
        expectTensor(layer.forward(image), output, 2e-6);
      });
      layer.free();
    }
  });
});

describe('initial values are PyTorch\u2019s with the same seed, to the bit', () => {
  it.each<[string, number, () => nn.Module]>([
    ['convTranspose2d', 17, () => new nn.ConvTranspose2d(6, 4, [3, 5], { groups: 2 })],
    ['multiheadAttention', 18, attention],
    ['multiheadAttention without bias', 19, () => attention({ bias: false })],
    ['transformer', 20, () => new TransformerBlock()],
    ['layerNorm', 21, () => new nn.LayerNorm([2, 3])],
    ['groupNorm', 22, () => new nn.GroupNorm(2, 4)],
  ])('%s', (name, seed, make) => {
    const expected = fixture.initial[name] as State;
    manualSeed(seed);
    const module = make();
    const state = module.stateDict();
    expect([...state.keys()]).toEqual(Object.keys(expected));
    for (const [key, value] of Object.entries(expected)) expectTensor(state.get(key) as Tensor, value);
    module.free();
  });
});

describe('multi-head attention', () => {
  it('has the parameters of PyTorch\u2019s, the projections of the inputs in one', () => {
    const shapes = (module: nn.Module) =>
      Object.fromEntries([...module.namedParameters()].map(([name, { shape }]) => [name, shape]));
    const [biased, plain] = [attention(), attention({ bias: false })];
    expect(shapes(biased)).toEqual({
      in_proj_weight: [18, 6],
      in_proj_bias: [18],
      'out_proj.weight': [6, 6],
      'out_proj.bias': [6],
    });
    expect(shapes(plain)).toEqual({ in_proj_weight: [18, 6], 'out_proj.weight': [6, 6] });
    biased.free();
    plain.free();
  });

  it('drops attention weights in training, with the same seed those that PyTorch drops', () => {
    const { state, input, seed, output } = fixture.dropout;
    const layer = attention({ dropout: 0.5 });
    layer.loadStateDict(decodeState(state));
    const x = decode(input);
    manualSeed(seed);
    const dropped = layer.forward(x);
    expectTensor(dropped, output, 2e-6);
    const evaluated = layer.eval().forward(x);
    expect(evaluated.toNumbers()).not.toEqual(dropped.toNumbers());
    expect(layer.forward(x).toNumbers()).toEqual(evaluated.toNumbers());
    layer.free();
  });

  it('of one head with the identity for all projections: by hand', () => {
    const layer = new nn.MultiheadAttention(1, 1, { bias: false });
    layer.loadStateDict(
      new Map([
        ['in_proj_weight', ones([3, 1], { dtype: 'float32' })],
        ['out_proj.weight', ones([1, 1], { dtype: 'float32' })],
      ]),
    );
    // Scores of the query ln 2 against keys 0 and 1: 0 and ln 2, so the weights are 1/3 and 2/3.
    const query = tensor([[[Math.LN2]]]);
    const key = tensor([[[0], [1]]]);
    expect(layer.forward(query, key).item()).toBeCloseTo(2 / 3, 6);
    expect(layer.forward(query, key, tensor([[[3], [6]]])).item()).toBeCloseTo(5, 6);
    expect(layer.forward(query, key, key, { mask: tensor([[0, 1]], 'bool') }).item()).toBe(0);
    // ln 2 more for the first key makes the weights equal.
    expect(layer.forward(query, key, key, { mask: tensor([[Math.LN2, 0]]) }).item()).toBeCloseTo(1 / 2, 6);
    // The first query sees the first key only.
    expect(layer.forward(query, key, key, { causal: true }).item()).toBe(0);
    layer.free();
  });

  it('with a causal mask does not depend on later positions, and combines it with another mask', () => {
    scope(() => {
      const layer = attention();
      const x = tensor([0.3, -0.2, 0.5, 0.9, -0.7, 0.1, 0.4, 0.8, -0.6, 0.2, 1.1, -0.9]).reshape([1, 2, 6]);
      const changed = x.clone();
      changed.select(1, 1).fill_(5);
      const first = (input: Tensor, options: nn.AttentionOptions) =>
        layer.forward(input, input, input, options).select(1, 0).toNumbers();
      expect(first(changed, { causal: true })).toEqual(first(x, { causal: true }));
      expect(first(changed, {})).not.toEqual(first(x, {}));
      const both = layer.forward(x, x, x, {
        causal: true,
        mask: tensor(
          [
            [0, 0],
            [1, 0],
          ],
          'bool',
        ),
      });
      const diagonal = layer.forward(x, x, x, {
        mask: tensor(
          [
            [0, 1],
            [1, 0],
          ],
          'bool',
        ),
      });
      expect(both.toNumbers()).toEqual(diagonal.toNumbers());
      layer.free();
    });
  });

  it('takes no other shapes and masks', () => {
    const layer = attention();
    const x = zeros([2, 3, 6], { dtype: 'float32' });
    const of = (...shape: number[]) => zeros(shape, { dtype: 'float32' });
    const cases: readonly [() => Tensor, message: string][] = [
      [() => layer.forward(of(3, 6)), 'the query has shape [3, 6]; MultiheadAttention takes [N, length, 6]'],
      [() => layer.forward(x, of(2, 3, 4)), 'the key has shape [2, 3, 4]'],
      [() => layer.forward(x, x, of(2, 3, 5)), 'the value has shape [2, 3, 5]'],
      [() => layer.forward(x, of(1, 3, 6)), 'the query has 2 examples, the key 1'],
      [
        () => layer.forward(x, x, of(2, 4, 6)),
        'the key has shape [2, 3, 6], the value [2, 4, 6]; they must be alike',
      ],
      [
        () => layer.forward(x, x, x, { mask: of(4, 3, 3) }),
        'the mask has shape [4, 3, 3], which does not broadcast to [N, heads, L, S] = [2, 2, 3, 3]',
      ],
      [() => layer.forward(x, x, x, { mask: of(1, 2, 2, 3, 3) }), 'the mask has shape [1, 2, 2, 3, 3]'],
      [
        () => layer.forward(x, x, x, { mask: zeros([3, 3], { dtype: 'int64' }) }),
        'the mask is int64; it must be bool or, like the query, float32',
      ],
    ];
    for (const [run, message] of cases) expect(run).toThrow(message);
    layer.free();
  });

  it('runs in bfloat16', () => {
    const layer = attention().to({ dtype: 'bfloat16' });
    const x = ones([1, 3, 6], { dtype: 'bfloat16' });
    expect(layer.forward(x, x, x, { causal: true }).dtype).toBe('bfloat16');
    layer.free();
  });
});

describe('normalisation', () => {
  it('of layers and of groups is the same in evaluation, one example at a time', () => {
    scope(() => {
      for (const layer of [new nn.LayerNorm([4, 3]), new nn.GroupNorm(2, 4)]) {
        const batch = tensor(Array.from({ length: 24 }, (_, index) => Math.sin(index))).reshape([2, 4, 3]);
        const together = layer.forward(batch).toNumbers();
        const [first, second] = layer.eval().forward(batch).split(1, 0) as [Tensor, Tensor];
        expect([...first.toNumbers(), ...second.toNumbers()]).toEqual(together);
        expect(layer.forward(batch.narrow(0, 1, 1)).toNumbers()).toEqual(second.toNumbers());
        layer.free();
      }
    });
  });

  it('by hand', () => {
    // Mean 3, variance 4.
    expect(new nn.LayerNorm(2, { epsilon: 0 }).forward(tensor([[1, 5]])).toNumbers()).toEqual([-1, 1]);
    const group = new nn.GroupNorm(2, 4, { epsilon: 0, affine: false });
    expect(group.forward(tensor([[1, 5, 2, 2.5]])).toNumbers()).toEqual([-1, 1, -1, 1]);
  });

  it('has a scale without a shift where no bias is wanted', () => {
    const layer = new nn.LayerNorm([2, 3], { bias: false });
    expect([...layer.stateDict()].map(([name, { shape }]) => [name, shape])).toEqual([['weight', [2, 3]]]);
    layer.free();
    expect(new nn.LayerNorm(3, { affine: false }).stateDict().size).toBe(0);
    expect(new nn.GroupNorm(1, 3, { affine: false }).stateDict().size).toBe(0);
  });
});

describe('squeeze and excitation, composed', () => {
  it('has the state of its parts and multiplies each channel by one number', () => {
    const module = new SqueezeExcitation(4, 2);
    expect([...module.stateDict()].map(([name, { shape }]) => [name, shape])).toEqual([
      ['gate.1.weight', [2, 4, 1, 1]],
      ['gate.1.bias', [2]],
      ['gate.3.weight', [4, 2, 1, 1]],
      ['gate.3.bias', [4]],
    ]);
    const image = ones([1, 4, 2, 3], { dtype: 'float32' });
    const factors = module.forward(image).flatten(2);
    expect(factors.amax([2]).toNumbers()).toEqual(factors.amin([2]).toNumbers());
    module.free();
  });
});

describe('a layer is refused', () => {
  it.each<[make: () => unknown, message: string]>([
    [() => new nn.LayerNorm(0), 'a size of the normalised shape must be an integer of at least 1, not 0'],
    [() => new nn.LayerNorm([4, 2.5]), 'not 2.5'],
    [() => new nn.LayerNorm([]), 'LayerNorm needs at least one dimension to normalise over'],
    [() => new nn.LayerNorm(4, { epsilon: -1 }), 'epsilon must be a number of at least 0, not -1'],
    [() => new nn.GroupNorm(3, 4), '3 groups do not divide 4 channels'],
    [() => new nn.GroupNorm(0, 4), 'groups must be an integer of at least 1, not 0'],
    [() => new nn.GroupNorm(2, NaN), 'channels must be an integer of at least 1, not NaN'],
    [() => new nn.GroupNorm(2, 4, { epsilon: NaN }), 'not NaN'],
    [() => new nn.BatchNorm2d(0), 'features must be an integer of at least 1, not 0'],
    [() => new nn.BatchNorm1d(2, { epsilon: -0.1 }), 'epsilon must be a number of at least 0, not -0.1'],
    [() => new nn.MultiheadAttention(6, 4), '4 heads do not divide 6 dimensions'],
    [() => new nn.MultiheadAttention(6, 0), 'heads must be an integer of at least 1, not 0'],
    [
      () => new nn.MultiheadAttention(6, 2, { dropout: 1.5 }),
      'dropout must be a probability between 0 and 1, not 1.5',
    ],
    [() => new nn.Conv2d(3, 4, 0), 'kernel must be an integer of at least 1, or two of them, not 0'],
    [
      () => new nn.Conv2d(3, 4, [3, 0]),
      'kernel must be an integer of at least 1, or two of them, not [3, 0]',
    ],
    [() => new nn.Conv2d(3, 4, 3, { padding: -1 }), 'padding must be an integer of at least 0'],
    [() => new nn.Conv2d(3, 4, 3, { stride: 0 }), 'stride must be an integer of at least 1'],
    [() => new nn.Conv2d(1.5, 4, 3), 'inputs must be an integer of at least 1, not 1.5'],
    [() => new nn.ConvTranspose2d(3, -4, 3), 'outputs must be an integer of at least 1, not -4'],
    [() => new nn.ConvTranspose2d(6, 4, 3, { groups: 4 }), '4 groups do not divide 6 inputs and 4 outputs'],
    [
      () => new nn.ConvTranspose2d(3, 4, 3, { stride: 2, outputPadding: [1, 2] }),
      'outputPadding [1, 2] must be smaller than the stride [2, 2] or the dilation [1, 1]',
    ],
    [() => new nn.MaxPool2d(0), 'kernel must be an integer of at least 1'],
    [() => new nn.AvgPool2d(2, { stride: 0.5 }), 'stride must be an integer of at least 1'],
    [() => new nn.AdaptiveAvgPool2d([0, 1]), 'output must be an integer of at least 1'],
    [() => new nn.Linear(0, 3), 'inputs must be an integer of at least 1, not 0'],
    [() => new nn.Embedding(4, 0), 'dimensions must be an integer of at least 1, not 0'],
    [() => new nn.LSTMCell(3, 0), 'hidden must be an integer of at least 1, not 0'],
    [() => new nn.Upsample({}), 'Upsample takes either a size or a scaleFactor'],
    [() => new nn.Upsample({ size: 2, scaleFactor: 2 }), 'Upsample takes either a size or a scaleFactor'],
    [() => new nn.Upsample({ size: 0 }), 'size must be an integer of at least 1'],
    [
      () => new nn.Upsample({ scaleFactor: -1 }),
      'scaleFactor must be a number above 0, or two of them, not -1',
    ],
    [
      () => new nn.Upsample({ size: 2, mode: 'bicubic' as 'bilinear' }),
      "mode must be 'nearest' or 'bilinear', not 'bicubic'",
    ],
    [() => new nn.Upsample({ size: 2, alignCorners: true }), "alignCorners needs the mode 'bilinear'"],
    [() => new nn.GELU({ approximate: 'erf' as 'none' }), "approximate must be 'none' or 'tanh', not 'erf'"],
    [() => new nn.Softmax(0.5), 'the dimension of Softmax must be an integer, not 0.5'],
  ])('%s', (make, message) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(message);
  });

  it('an input of another shape, too', () => {
    const input = (...shape: number[]) => zeros(shape, { dtype: 'float32' as Dtype });
    expect(() => new nn.GroupNorm(2, 4).forward(input(1, 6, 2))).toThrow(
      'GroupNorm takes tensors of shape [N, 4, ...], not one of shape [1, 6, 2]',
    );
    expect(() => new nn.Upsample({ size: 2 }).forward(input(3, 4, 4))).toThrow(
      'Upsample takes tensors of shape [N, C, H, W], not one of shape [3, 4, 4]',
    );
    expect(() => new nn.LayerNorm([2, 3]).forward(input(1, 3, 2))).toThrow('normalized_shape');
  });
});
