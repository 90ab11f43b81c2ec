import {
  cat,
  conv1d,
  dropout,
  fromTypedArray,
  layerNorm,
  nn,
  setThreads,
  stack,
  type Tensor,
  tensor,
  upsampleBilinear2d,
  upsampleNearest2d,
} from '@espalier/torch';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { exportOnnx } from '../../src/export/onnx.js';
import { onnxOperators } from '../../src/export/onnx-operators.js';
import { InputError } from '../../src/input-error.js';
import { expectAgreement } from './onnx-runtime.js';

setThreads(1);

/** 4 x 5 x 7: no two sizes are alike. */
const shape = { channels: 4, height: 5, width: 7, classes: 2 };

class Made extends nn.Layer {
  constructor(private readonly body: (image: Tensor) => Tensor) {
    super();
  }

  forward(image: Tensor): Tensor {
    return this.body(image);
  }
}

class WithWeights extends nn.Layer {
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

const wave = (...sizes: number[]) =>
  new nn.Parameter(
    fromTypedArray(
      Float32Array.from({ length: sizes.reduce((all, size) => all * size, 1) }, (_, index) =>
        Math.cos(index * 1.3),
      ),
      sizes,
    ),
  );

/** What operators do with every setting that matters to them, by the operator that is tested. */
const bodies: readonly [operator: string, ...((image: Tensor) => Tensor)[]][] = [
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
const layers: readonly [operator: string, ...(() => nn.Layer)[]][] = [
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

describe('an operator in ONNX Runtime does what libtorch does', () => {
  it.each(bodies)('%s', async (_, ...made) => {
    for (const body of made) await expectAgreement(new Made(body), shape);
  });

  it.each(layers)('%s, with weights', async (_, ...made) => {
    for (const make of made) {
      const network = make();
      for (const [name, value] of network.stateDict())
        if (name.includes('running'))
          value.copy_(
            value
              .mul(0)
              .add(wave(...value.shape))
              .square()
              .add(0.5),
          );
      await expectAgreement(network, shape);
      network.free();
    }
  });

  it('and all that can be exported were tested', () => {
    const tested = new Set([...bodies, ...layers].map(([operator]) => operator));
    expect([...onnxOperators.keys()].filter((operator) => !tested.has(operator))).toEqual([]);
  });
});

describe('an exported file', () => {
  it('is of operator set 17, takes any number of images, and says so', async () => {
    const network = new nn.Sequential(new nn.Flatten(), new nn.Linear(140, 2));
    const bytes = exportOnnx(network, shape);
    // opset_import { domain: "", version: 17 } of ModelProto.
    expect(Buffer.from(bytes).includes(Buffer.from([0x42, 4, 0x0a, 0, 0x10, 17]))).toBe(true);
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
    const described = [...session.inputMetadata, ...session.outputMetadata];
    expect(described).toMatchObject([
      { name: 'image', type: 'float32', shape: ['batch', 4, 5, 7] },
      { name: 'logits', type: 'float32', shape: ['batch', 2] },
    ]);
    await session.release();
    network.free();
  });

  it('holds a weight once that is used twice, whatever its name', async () => {
    const network = new WithWeights({ image: wave(7, 7), logits: wave(7) }, (x, { image, logits }) =>
      x.matmul(image!).add(logits!).matmul(image!),
    );
    await expectAgreement(network, shape);
    expect(exportOnnx(network, shape).length).toBeLessThan(2 * 7 * 7 * 4 + 400);
    network.free();
  });

  it('is the same for the same network, which stays as it was', () => {
    const network = new nn.Sequential(new nn.Conv2d(4, 2, 3), new nn.BatchNorm2d(2));
    expect(exportOnnx(network, shape)).toEqual(exportOnnx(network, shape));
    expect(network.training).toBe(true);
    network.free();
  });
});

describe('what cannot be exported is an error that names it', () => {
  const none = (body: (image: Tensor) => Tensor) => () => exportOnnx(new Made(body), shape);

  it.each<[what: string, body: (image: Tensor) => Tensor, message: string]>([
    [
      'an operator without a row',
      (x) => x.relu().cumsum(1),
      'export to ONNX: aten::cumsum, call 2 of the network, with the result [1,4,5,7]: no such operator here; allowed: _to_copy, abs,',
    ],
    [
      'an argument that has no equivalent',
      (x) => x.softplus(2),
      'aten::softplus, call 1 of the network, with the result [1,4,5,7]: its argument 1 (2) has no equivalent',
    ],
    [
      'a number made of the number of images',
      (x) => x.mul(x.shape[0]! + 1),
      'aten::mul, call 1 of the network, with the result [1,4,5,7]: its argument 1 depends on the number of images',
    ],
    [
      'a tensor made of it',
      (x) => x.add(tensor([[[[x.shape[0]!]]]])),
      'its argument 1 depends on the number of images',
    ],
    [
      'other operators for another number of images',
      (x) => (x.shape[0] === 1 ? x : x.relu()),
      'calls other operators for another number of images',
    ],
    [
      'repetition as often as there are images',
      (x) => x.mean(0, true).expand(x.shape),
      'it repeats dimension 0 as often as there are images',
    ],
    [
      'dropout that goes on',
      (x) => dropout(x, 0.5, true),
      'it drops values though the network is not training',
    ],
    [
      'an approximation',
      (x) => x.gelu({ approximate: 'tanh' }),
      "approximate is 'tanh'; allowed for export to ONNX: 'none'",
    ],
    [
      'a scale that gives no whole size',
      (x) => upsampleBilinear2d(x, undefined, false, [1.5, 1]),
      'scale factors 1.5 and 1 do not take 5x7 to a whole number of pixels',
    ],
    [
      'work in place on a part',
      (x) => {
        const copy = x.clone();
        copy.slice(1, 1).relu_();
        return copy;
      },
      'aten::relu_, call 3 of the network, with the result [1,3,5,7]: it works in place on a tensor that shares its memory with another; allowed: relu',
    ],
    [
      'work in place on what a part was taken of',
      (x) => {
        const copy = x.clone();
        const part = copy.slice(1, 1);
        copy.relu_();
        return part;
      },
      'it works in place on a tensor that shares its memory',
    ],
  ])('%s', (_, body, message) => {
    expect(none(body)).toThrow(InputError);
    expect(none(body)).toThrow(message);
  });

  it('batch norm without running statistics', () => {
    const network = new nn.BatchNorm2d(4, { trackRunningStats: false });
    expect(() => exportOnnx(network, shape)).toThrow('batch norm without running statistics');
    network.free();
  });

  it('a network that changes its weights', () => {
    const network = new WithWeights({ w: wave(7) }, (x, { w }) => x.add(w!.mul_(2)));
    expect(() => exportOnnx(network, shape)).toThrow('it changes w; allowed: to change results');
    network.free();
  });
});
