import {
  cat,
  conv1d,
  convTranspose2d,
  dropout,
  embedding,
  fromTypedArray,
  groupNorm,
  layerNorm,
  nn,
  noGrad,
  stack,
  type Tensor,
  tensor,
  upsampleBilinear2d,
  upsampleNearest2d,
  where,
  zeros,
} from '@espalier/torch';
import {
  LanguageModel,
  type LanguageModelState,
  type LanguageModelStep,
} from '../../src/networks/language-model.js';

/** 4 x 5 x 7: no two sizes are alike. */
export const shape = { channels: 4, height: 5, width: 7, classes: 2 };

export class Made extends nn.Layer {
  constructor(private readonly body: (image: Tensor) => Tensor) {
    super();
  }

  forward(image: Tensor): Tensor {
    return this.body(image);
  }
}

export class WithWeights extends nn.Layer {
  constructor(
    private readonly weights: Readonly<Record<string, nn.Parameter>>,
    private readonly body: (image: Tensor, weights: Readonly<Record<string, nn.Parameter>>) => Tensor,
  ) {
    super();
    Object.assign(this, weights);
  }

  forward(image: Tensor): Tensor {
    return this.body(image, this.weights);
  }
}

export const wave = (...sizes: number[]) =>
  new nn.Parameter(
    fromTypedArray(
      Float32Array.from({ length: sizes.reduce((all, size) => all * size, 1) }, (_, index) =>
        Math.cos(index * 1.3),
      ),
      sizes,
    ),
  );

/** Weights so large that each input counts: those of a fresh layer are all about 0. */
function setToWaves(module: nn.Module): void {
  noGrad(() => {
    for (const value of module.parameters()) value.copy_(wave(...value.shape));
  });
}

/** Predicts from the last token alone. */
class LookUp extends LanguageModel {
  readonly vocabulary = 5;
  readonly table = wave(5, 5);

  initialState(): LanguageModelState {
    return [];
  }

  forward(tokens: Tensor, state: LanguageModelState): LanguageModelStep {
    const logits = embedding(this.table, tokens);
    return { logits, state, activations: { raw: logits, dropped: logits } };
  }
}

/** Predicts from the last hidden state of an LSTM cell. */
class Recurrent extends LanguageModel {
  readonly vocabulary = 5;
  readonly table = wave(5, 3);
  readonly cell = new nn.LSTMCell(3, 5);

  constructor() {
    super();
    setToWaves(this.cell);
  }

  initialState(batch: number): LanguageModelState {
    return [zeros([batch, 5], { dtype: 'float32' }), zeros([batch, 5], { dtype: 'float32' })];
  }

  forward(tokens: Tensor, state: LanguageModelState): LanguageModelStep {
    let [h, c] = state as [Tensor, Tensor];
    const outputs: Tensor[] = [];
    for (const token of embedding(this.table, tokens).unbind(0)) {
      [h, c] = this.cell.forward(token, [h, c]);
      outputs.push(h);
    }
    const logits = stack(outputs, 0);
    return { logits, state: [h, c], activations: { raw: logits, dropped: logits } };
  }
}

/** Attention between the pixels of an image. */
class Attending extends nn.Layer {
  readonly attention = new nn.MultiheadAttention(4, 2);

  constructor(private readonly options: nn.AttentionOptions) {
    super();
    setToWaves(this.attention);
  }

  forward(image: Tensor): Tensor {
    const pixels = image.flatten(2).transpose(1, 2);
    return this.attention.forward(pixels, pixels, pixels, this.options);
  }
}

/** What operators do with every setting that matters to them, by the operator that is tested. */
export const bodies: readonly [operator: string, ...((image: Tensor) => Tensor)[]][] = [
  ['abs', (x) => x.abs()],
  [
    'adaptive_avg_pool2d',
    (x) => x.adaptiveAvgPool2d(1),
    (x) => x.adaptiveAvgPool2d([2, 3]),
    (x) => x.adaptiveAvgPool2d([5, 9]),
  ],
  [
    'add',
    (x) => x.add(x.mul(x)),
    (x) => x.add(2.5),
    (x) => x.add(x.sigmoid(), { alpha: -0.5 }),
    (x) => x.mul(2).add_(x).relu_(),
    (x) => x.add(tensor([1, 2, 3, 4, 5, 6, 7])),
    (x) => x.add(tensor([1, 2, 3, 4, 5, 6, 7], 'int64')),
  ],
  [
    'addmm',
    (x) => tensor([1, 2, 3]).addmm(x.flatten(1), wave(140, 3)),
    (x) => x.flatten(1).narrow(1, 0, 3).addmm(x.flatten(1), wave(140, 3), { beta: 0.5, alpha: -2 }),
  ],
  ['amax', (x) => x.amax([2, -1]), (x) => x.amax(1, true)],
  ['amin', (x) => x.amin([2, -1]), (x) => x.amin(1, true)],
  [
    'avg_pool2d',
    (x) => x.avgPool2d(3, 1, 1, false, false),
    (x) => x.avgPool2d(3, 2, 1, false, true),
    (x) => x.avgPool2d([2, 3], undefined, [1, 0]),
    (x) => x.avgPool2d(2, 2, 0, true, false),
    (x) => x.avgPool2d(2, 3, 1, true, true),
  ],
  [
    'baddbmm',
    (x) => x.select(1, 0).narrow(2, 0, 5).baddbmm(x.select(1, 1), x.select(1, 2).transpose(1, 2)),
    (x) =>
      x.select(1, 0).baddbmm(x.select(1, 1), x.select(1, 2).transpose(1, 2).bmm(x.select(1, 3)), {
        beta: 0.5,
        alpha: -2,
      }),
  ],
  ['bmm', (x) => x.select(1, 0).bmm(x.select(1, 1).transpose(1, 2))],
  ['cat', (x) => cat([x, x.relu(), x.neg()], 1), (x) => cat([x, x.exp()], -1)],
  ['chunk', (x) => cat([...x.chunk(3, 3)].reverse(), 3)],
  ['clamp', (x) => x.clamp(-0.25, 0.5), (x) => x.clamp(0.1), (x) => x.clamp(undefined, 0.1)],
  ['clamp_max', (x) => x.clampMax(0.2)],
  ['clamp_min', (x) => x.clampMin(0.2)],
  ['clone', (x) => x.clone()],
  [
    'constant_pad_nd',
    (x) => x.constantPadNd([1, 2, 3, 0]),
    (x) => x.constantPadNd([-1, 1, 1, -2], 0.5),
    (x) => x.constantPadNd([-2, -1]),
    (x) => x.constantPadNd([0, 0, 0, 0, 1, -1]),
  ],
  ['contiguous', (x) => x.permute([0, 2, 3, 1]).contiguous()],
  ['cos', (x) => x.cos()],
  ['div', (x) => x.div(x.exp()), (x) => x.div(4)],
  ['dropout', (x) => dropout(x, 0.5, false)],
  ['elu', (x) => x.elu(), (x) => x.elu(0.3)],
  ['eq', (x) => x.maskedFill(x.floor().eq(0), 3), (x) => x.mul(x.floor().eq(x.round()))],
  ['exp', (x) => x.exp()],
  ['expand', (x) => x.mean([2, 3], true).expand([-1, 4, 2, 3]), (x) => x.slice(1, 0, 1).expand(x.shape)],
  ['flatten', (x) => x.flatten(1), (x) => x.flatten(2), (x) => x.flatten(1, 2), (x) => x.flatten(0, 1)],
  ['flip', (x) => x.flip([2, 3]), (x) => x.flip([-1])],
  ['floor', (x) => x.mul(3).floor()],
  ['ge', (x) => x.maskedFill(x.ge(x.square()), 3)],
  ['gelu', (x) => x.mul(2).gelu(), (x) => x.mul(2).gelu({ approximate: 'tanh' })],
  [
    'group_norm',
    (x) => groupNorm(x, 2),
    (x) => groupNorm(x.flatten(2), 1, undefined, undefined, 0.1),
    (x) => groupNorm(x.flatten(1), 4),
  ],
  ['gt', (x) => where(x.gt(0.3), x, x.neg())],
  ['hardsigmoid', (x) => x.mul(4).hardsigmoid()],
  ['hardswish', (x) => x.mul(4).hardswish()],
  ['hardtanh', (x) => x.mul(2).hardtanh(), (x) => x.hardtanh(0, 0.5)],
  [
    'index_select',
    (x) => x.indexSelect(3, tensor([6, 0, 2], 'int64')),
    (x) => x.indexSelect(-2, tensor([1], 'int64')),
  ],
  ['layer_norm', (x) => layerNorm(x, [5, 7]), (x) => layerNorm(x, [7], undefined, undefined, 0.1)],
  ['le', (x) => x.maskedFill(x.le(x.square()), 3)],
  ['leaky_relu', (x) => x.leakyRelu(), (x) => x.leakyRelu(0.2)],
  ['lerp', (x) => x.lerp(x.exp(), x.sigmoid()), (x) => x.lerp(x.neg(), 0.3)],
  ['log', (x) => x.abs().add(1).log()],
  ['log1p', (x) => x.abs().log1p()],
  ['log_sigmoid', (x) => x.mul(4).logSigmoid()],
  ['log_softmax', (x) => x.logSoftmax(1), (x) => x.logSoftmax(-1)],
  ['logsumexp', (x) => x.logsumexp([1]), (x) => x.logsumexp([2, 3], true)],
  ['lt', (x) => x.maskedFill(x.lt(0.3), 3)],
  [
    'masked_fill',
    (x) => x.maskedFill(x.gt(0), 3),
    (x) => x.maskedFill(tensor([0, 1, 0, 0, 1, 0, 1], 'bool'), -Infinity).softmax(-1),
  ],
  ['matmul', (x) => x.matmul(x.transpose(2, 3))],
  [
    'max_pool2d',
    (x) => x.maxPool2d(3, 2, 1),
    (x) => x.maxPool2d([2, 3]),
    (x) => x.maxPool2d(2, 1, 1, 2),
    (x) => x.maxPool2d(2, 2, 0, 1, true),
  ],
  ['maximum', (x) => x.maximum(x.neg())],
  ['mean', (x) => x.mean([2, 3]), (x) => x.mean(-1, true)],
  ['minimum', (x) => x.minimum(x.neg())],
  ['mm', (x) => x.flatten(1).mm(x.flatten(1).narrow(0, 0, 1).transpose(0, 1))],
  ['mul', (x) => x.mul(x), (x) => x.mul(-3), (x) => x.mul(0).add(x)],
  ['narrow', (x) => x.narrow(3, 2, 4), (x) => x.narrow(2, -3, 3)],
  ['ne', (x) => x.maskedFill(x.floor().ne(0), 3)],
  ['neg', (x) => x.neg()],
  [
    'new_ones',
    (x) => x.add(x.newOnes([5, 1])),
    (x) => x.maskedFill(x.newOnes([5, 7], { dtype: 'bool' }).tril(), 3),
  ],
  ['new_zeros', (x) => cat([x.narrow(0, 0, 1), x.newZeros([1, 4, 5, 7])], 3).add(x.amax([2, 3], true))],
  ['ones_like', (x) => x.add(x.onesLike())],
  ['permute', (x) => x.permute([0, 3, 1, 2]), (x) => x.permute([0, -1, -2, -3])],
  ['pow', (x) => x.pow(3), (x) => x.abs().pow(0.5)],
  ['relu', (x) => x.relu()],
  ['reciprocal', (x) => x.abs().add(1).reciprocal()],
  ['reshape', (x) => x.reshape([x.shape[0]!, 20, 7]), (x) => x.reshape([-1, 7])],
  [
    'round',
    (x) => x.mul(3).round(),
    (x) => tensor([0.5, 1.5, 2.5, -0.5, -1.5, 2, 3]).add(x.mul(0)).round().add(x),
  ],
  ['rsqrt', (x) => x.abs().add(1).rsqrt()],
  ['select', (x) => x.select(2, 3), (x) => x.select(-1, -2)],
  ['sigmoid', (x) => x.sigmoid()],
  ['sign', (x) => x.sign().mul(x)],
  ['silu', (x) => x.silu()],
  ['sin', (x) => x.sin()],
  [
    'slice',
    (x) => x.slice(2, 1),
    (x) => x.slice(3, 1, -1, 2),
    (x) => x.slice(-1, -3),
    (x) => x.slice(2, 0, undefined, 2),
    (x) => x.slice(1, 1, 3),
  ],
  ['softmax', (x) => x.softmax(1), (x) => x.softmax(-1)],
  ['softplus', (x) => x.softplus()],
  ['split', (x) => cat([...x.split(3, 3)].reverse(), 3)],
  ['split_with_sizes', (x) => cat([...x.splitWithSizes([3, 4], 3)].reverse(), 3)],
  ['sqrt', (x) => x.abs().sqrt()],
  ['square', (x) => x.square()],
  ['squeeze', (x) => x.mean(3, true).squeeze(3)],
  ['stack', (x) => stack([x, x.relu()], 1), (x) => stack([x, x.neg()], -1)],
  ['sub', (x) => x.sub(x.mul(x)), (x) => x.sub(1), (x) => x.sub(x.sigmoid(), { alpha: 2 })],
  ['sum', (x) => x.sum([1, 3]), (x) => x.sum(-2, true)],
  ['t', (x) => x.flatten(1).mm(x.flatten(1).narrow(0, 0, 1).t())],
  ['tanh', (x) => x.tanh()],
  ['transpose', (x) => x.transpose(1, -1)],
  ['tril', (x) => x.tril(), (x) => x.tril(2)],
  ['triu', (x) => x.triu(1), (x) => x.triu(-1)],
  ['unbind', (x) => cat([...x.unbind(2)].reverse(), 2), (x) => stack([...x.unbind(-1)], 1)],
  ['unsqueeze', (x) => x.unsqueeze(2), (x) => x.unsqueeze(-1)],
  [
    'upsample_bilinear2d',
    (x) => upsampleBilinear2d(x, [9, 4], true),
    (x) => upsampleBilinear2d(x, [9, 4], false),
    (x) => upsampleBilinear2d(x, [1, 1], true),
    (x) => upsampleBilinear2d(x, [1, 1], false),
    (x) => upsampleBilinear2d(x.mean([2, 3], true), [3, 2], true),
    (x) => upsampleBilinear2d(x, undefined, false, [2, 3]),
  ],
  ['upsample_nearest2d', (x) => upsampleNearest2d(x, [9, 4]), (x) => upsampleNearest2d(x, undefined, [2, 3])],
  ['view', (x) => x.view([x.shape[0]!, -1]), (x) => x.view([x.shape[0]! * 4, 35])],
  ['where', (x) => where(x.gt(0), x, x.square())],
  ['zeros_like', (x) => x.zerosLike().add(x)],
  [
    '_to_copy',
    (x) => x.to({ memoryFormat: 'channels_last' }),
    (x) => x.mul(x.floor().to({ dtype: 'bool' })),
    (x) => x.add(x.mul(3).to({ dtype: 'int64' })),
    (x) => x.to({ dtype: 'float32' }).mul(2),
  ],
];

/** For 35 pixels, one in three of which is hidden. */
const everyThird = Array.from({ length: 35 }, (_, pixel) => (pixel % 3 === 0 ? 1 : 0));

/** Operators with weights, and layers. */
export const layers: readonly [operator: string, ...(() => nn.Layer)[]][] = [
  [
    'batch_norm',
    () => new nn.BatchNorm2d(4),
    () => new nn.BatchNorm2d(4, { affine: false, epsilon: 0.5 }),
    () => new nn.Sequential(new nn.Flatten(), new nn.BatchNorm1d(140)),
  ],
  [
    'conv1d',
    () =>
      new WithWeights({ w: wave(6, 2, 3), b: wave(6) }, (x, { w, b }) =>
        conv1d(x.flatten(2), w!, b, 2, 1, 3, 2),
      ),
  ],
  [
    'conv2d',
    () => new nn.Conv2d(4, 3, 3, { bias: false }),
    () => new nn.Conv2d(4, 6, [3, 2], { stride: [1, 2], padding: [2, 1], dilation: [2, 1], groups: 2 }),
    () => new nn.Conv2d(4, 4, 3, { padding: 1, groups: 4 }),
  ],
  [
    'conv_transpose2d',
    () => new nn.Sequential(new nn.ConvTranspose2d(4, 3, [3, 2], { stride: 2, padding: 1, bias: false })),
    () =>
      new nn.Sequential(
        new nn.ConvTranspose2d(4, 6, [3, 2], {
          stride: [2, 3],
          padding: [1, 0],
          outputPadding: [1, 2],
          dilation: [2, 1],
          groups: 2,
        }),
      ),
    () =>
      new WithWeights({ w: wave(4, 3, 3, 2), b: wave(3) }, (x, { w, b }) =>
        convTranspose2d(x, w!, b, 2, 1, 1),
      ),
  ],
  ['elu', () => new nn.Sequential(new Made((x) => x.elu()), new Made((x) => x.elu(0.3)))],
  ['gelu', () => new nn.Sequential(new nn.GELU(), new nn.GELU({ approximate: 'tanh' }))],
  [
    'group_norm',
    () => new nn.Sequential(new nn.GroupNorm(2, 4), new nn.GroupNorm(4, 4, { affine: false, epsilon: 0.1 })),
    () => new WithWeights({ w: wave(4), b: wave(4) }, (x, { w, b }) => groupNorm(x, 2, w, b)),
    () => new WithWeights({ w: wave(4) }, (x, { w }) => groupNorm(x.flatten(2), 1, w)),
  ],
  ['hardsigmoid', () => new nn.Sequential(new nn.Hardsigmoid())],
  ['hardswish', () => new nn.Sequential(new nn.Hardswish())],
  ['hardtanh', () => new nn.Sequential(new nn.ReLU6(), new Made((x) => x.hardtanh(0.1, 0.8)))],
  [
    'layer_norm',
    () => new nn.Sequential(new nn.LayerNorm(7), new nn.LayerNorm([5, 7], { affine: false, epsilon: 0.1 })),
    () => new nn.Sequential(new nn.LayerNorm([5, 7], { bias: false })),
    () => new WithWeights({ w: wave(5, 7), b: wave(5, 7) }, (x, { w, b }) => layerNorm(x, [5, 7], w, b)),
  ],
  [
    'linear',
    () => new nn.Sequential(new nn.Flatten(), new nn.Linear(140, 3)),
    () => new nn.Sequential(new nn.Flatten(), new nn.Linear(140, 3, { bias: false })),
    () => new nn.Linear(7, 3),
    () => new nn.Linear(7, 3, { bias: false }),
  ],
  ['leaky_relu', () => new nn.Sequential(new nn.LeakyReLU(), new nn.LeakyReLU(0.3))],
  ['matmul', () => new Attending({})],
  ['masked_fill', () => new Attending({ mask: tensor(everyThird, 'bool') })],
  ['silu', () => new nn.Sequential(new nn.SiLU())],
  ['softmax', () => new nn.Sequential(new nn.Softmax(-1)), () => new nn.Sequential(new nn.Softmax(1))],
  ['triu', () => new Attending({ causal: true })],
  [
    'upsample_bilinear2d',
    () => new nn.Sequential(new nn.Upsample({ size: [9, 4], mode: 'bilinear', alignCorners: true })),
    () => new nn.Sequential(new nn.Upsample({ scaleFactor: [2, 3], mode: 'bilinear' })),
  ],
  [
    'upsample_nearest2d',
    () => new nn.Sequential(new nn.Upsample({ size: [9, 4] })),
    () => new nn.Sequential(new nn.Upsample({ scaleFactor: 2 })),
  ],
];

/** Operators on tokens. */
export const models: readonly [operator: string, ...(() => LanguageModel)[]][] = [
  ['embedding', () => new LookUp()],
  ['lstm_cell', () => new Recurrent()],
];
