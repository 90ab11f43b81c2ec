import {
  cat,
  conv1d,
  dropout,
  embedding,
  fromTypedArray,
  layerNorm,
  nn,
  stack,
  type Tensor,
  tensor,
  upsampleBilinear2d,
  upsampleNearest2d,
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
  ['amax', (x) => x.amax([2, -1]), (x) => x.amax(1, true)],
  [
    'avg_pool2d',
    (x) => x.avgPool2d(3, 1, 1, false, false),
    (x) => x.avgPool2d(3, 2, 1, false, true),
    (x) => x.avgPool2d([2, 3], undefined, [1, 0]),
    (x) => x.avgPool2d(2, 2, 0, true, false),
    (x) => x.avgPool2d(2, 3, 1, true, true),
  ],
  ['cat', (x) => cat([x, x.relu(), x.neg()], 1), (x) => cat([x, x.exp()], -1)],
  ['chunk', (x) => cat([...x.chunk(3, 3)].reverse(), 3)],
  ['clamp', (x) => x.clamp(-0.25, 0.5), (x) => x.clamp(0.1), (x) => x.clamp(undefined, 0.1)],
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
  ['exp', (x) => x.exp()],
  ['expand', (x) => x.mean([2, 3], true).expand([-1, 4, 2, 3]), (x) => x.slice(1, 0, 1).expand(x.shape)],
  ['flatten', (x) => x.flatten(1), (x) => x.flatten(2), (x) => x.flatten(1, 2), (x) => x.flatten(0, 1)],
  ['gelu', (x) => x.gelu()],
  ['hardswish', (x) => x.mul(4).hardswish()],
  ['hardtanh', (x) => x.mul(2).hardtanh(), (x) => x.hardtanh(0, 0.5)],
  ['layer_norm', (x) => layerNorm(x, [5, 7]), (x) => layerNorm(x, [7], undefined, undefined, 0.1)],
  ['leaky_relu', (x) => x.leakyRelu(), (x) => x.leakyRelu(0.2)],
  ['lerp', (x) => x.lerp(x.exp(), x.sigmoid()), (x) => x.lerp(x.neg(), 0.3)],
  ['log', (x) => x.abs().add(1).log()],
  ['log_softmax', (x) => x.logSoftmax(1), (x) => x.logSoftmax(-1)],
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
  ['neg', (x) => x.neg()],
  ['permute', (x) => x.permute([0, 3, 1, 2]), (x) => x.permute([0, -1, -2, -3])],
  ['pow', (x) => x.pow(3), (x) => x.abs().pow(0.5)],
  ['relu', (x) => x.relu()],
  ['reshape', (x) => x.reshape([x.shape[0]!, 20, 7]), (x) => x.reshape([-1, 7])],
  ['rsqrt', (x) => x.abs().add(1).rsqrt()],
  ['select', (x) => x.select(2, 3), (x) => x.select(-1, -2)],
  ['sigmoid', (x) => x.sigmoid()],
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
  ['sqrt', (x) => x.abs().sqrt()],
  ['squeeze', (x) => x.mean(3, true).squeeze(3)],
  ['stack', (x) => stack([x, x.relu()], 1), (x) => stack([x, x.neg()], -1)],
  ['sub', (x) => x.sub(x.mul(x)), (x) => x.sub(1), (x) => x.sub(x.sigmoid(), { alpha: 2 })],
  ['sum', (x) => x.sum([1, 3]), (x) => x.sum(-2, true)],
  ['tanh', (x) => x.tanh()],
  ['transpose', (x) => x.transpose(1, -1)],
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
  ['_to_copy', (x) => x.to({ memoryFormat: 'channels_last' })],
];

/** Operators with weights. */
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
    'layer_norm',
    () => new WithWeights({ w: wave(5, 7), b: wave(5, 7) }, (x, { w, b }) => layerNorm(x, [5, 7], w, b)),
  ],
  [
    'linear',
    () => new nn.Sequential(new nn.Flatten(), new nn.Linear(140, 3)),
    () => new nn.Sequential(new nn.Flatten(), new nn.Linear(140, 3, { bias: false })),
    () => new nn.Linear(7, 3),
    () => new nn.Linear(7, 3, { bias: false }),
  ],
];

/** Operators on tokens. */
export const models: readonly [operator: string, ...(() => LanguageModel)[]][] = [
  ['embedding', () => new LookUp()],
];
