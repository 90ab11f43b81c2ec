import { describe, expect, it } from 'vitest';
import { fromTypedArray, manualSeed, nn, scope, type Tensor, tensor } from '../src/index.js';
import { expectGradients, weightedSum } from './finite-differences.js';
import { SqueezeExcitation, TransformerBlock } from './layer-compositions.js';

function input(...shape: number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  // Irregular, distinct values: no pooling window has a tie and no value lies at a kink.
  const values = Float64Array.from({ length: size }, (_, index) => ((index * 0.618 + 0.35) % 1) * 3 - 1.4);
  const made = fromTypedArray(values, shape);
  made.requiresGrad = true;
  return made;
}

/** The module in float64, and its parameters by name. */
function inFloat64<M extends nn.Module>(module: M): { module: M; parameters: Record<string, Tensor> } {
  module.to({ dtype: 'float64' });
  return { module, parameters: Object.fromEntries(module.namedParameters()) };
}

const layers: [title: string, make: () => nn.Layer, shape: number[]][] = [
  ['Linear', () => new nn.Linear(3, 4), [2, 3]],
  ['Linear without bias, over more dimensions', () => new nn.Linear(3, 2, { bias: false }), [2, 2, 3]],
  ['Conv2d', () => new nn.Conv2d(2, 3, 3, { padding: 1 }), [2, 2, 4, 4]],
  [
    'Conv2d, grouped, strided and dilated',
    () =>
      new nn.Conv2d(4, 2, [3, 2], {
        stride: [2, 1],
        padding: [2, 1],
        dilation: [2, 1],
        groups: 2,
        bias: false,
      }),
    [1, 4, 5, 4],
  ],
  ['Conv2d, depthwise', () => new nn.Conv2d(3, 3, 3, { padding: 1, groups: 3 }), [2, 3, 4, 4]],
  ['Conv2d, pointwise with strides', () => new nn.Conv2d(3, 2, 1, { stride: [2, 3] }), [2, 3, 5, 7]],
  ['BatchNorm1d', () => new nn.BatchNorm1d(3), [5, 3]],
  ['BatchNorm1d over a length', () => new nn.BatchNorm1d(2), [2, 2, 3]],
  ['BatchNorm2d', () => new nn.BatchNorm2d(3), [2, 3, 2, 2]],
  ['BatchNorm2d without scale and shift', () => new nn.BatchNorm2d(3, { affine: false }), [2, 3, 2, 2]],
  [
    'BatchNorm2d without running statistics',
    () => new nn.BatchNorm2d(2, { trackRunningStats: false }),
    [2, 2, 2, 2],
  ],
  ['BatchNorm2d in evaluation', () => new nn.BatchNorm2d(3).eval(), [2, 3, 2, 2]],
  ['MaxPool2d', () => new nn.MaxPool2d(2), [1, 2, 4, 4]],
  ['MaxPool2d, overlapping', () => new nn.MaxPool2d(3, { stride: 1, padding: 1 }), [1, 1, 4, 4]],
  ['AvgPool2d', () => new nn.AvgPool2d(3, { stride: 2, padding: 1, countIncludePad: false }), [1, 2, 5, 5]],
  ['AdaptiveAvgPool2d', () => new nn.AdaptiveAvgPool2d(1), [2, 2, 3, 3]],
  ['ReLU', () => new nn.ReLU(), [2, 5]],
  ['Sigmoid', () => new nn.Sigmoid(), [2, 5]],
  ['Tanh', () => new nn.Tanh(), [2, 5]],
  ['ReLU6', () => new nn.ReLU6(), [2, 5]],
  ['LeakyReLU', () => new nn.LeakyReLU(0.2), [2, 5]],
  ['GELU', () => new nn.GELU(), [2, 5]],
  ['GELU by tanh', () => new nn.GELU({ approximate: 'tanh' }), [2, 5]],
  ['SiLU', () => new nn.SiLU(), [2, 5]],
  ['Hardswish', () => new nn.Hardswish(), [2, 5]],
  ['Hardsigmoid', () => new nn.Hardsigmoid(), [2, 5]],
  ['Softmax', () => new nn.Softmax(1), [2, 5]],
  ['LayerNorm', () => new nn.LayerNorm(5), [2, 5]],
  ['LayerNorm over two dimensions', () => new nn.LayerNorm([2, 3], { bias: false }), [2, 2, 3]],
  ['GroupNorm', () => new nn.GroupNorm(2, 4), [2, 4, 2, 2]],
  ['ConvTranspose2d', () => new nn.ConvTranspose2d(2, 3, 3), [2, 2, 2, 3]],
  [
    'ConvTranspose2d, grouped, strided and dilated',
    () =>
      new nn.ConvTranspose2d(4, 2, [3, 2], {
        stride: [2, 1],
        padding: [2, 0],
        outputPadding: [1, 0],
        dilation: [2, 1],
        groups: 2,
        bias: false,
      }),
    [1, 4, 2, 3],
  ],
  ['Upsample to the nearest', () => new nn.Upsample({ scaleFactor: 2 }), [1, 2, 2, 3]],
  ['Upsample, bilinear', () => new nn.Upsample({ size: [5, 4], mode: 'bilinear' }), [1, 2, 2, 3]],
  ['MultiheadAttention', () => new nn.MultiheadAttention(4, 2), [2, 3, 4]],
  ['SqueezeExcitation', () => new SqueezeExcitation(4, 2), [2, 4, 2, 3]],
  ['a transformer block', () => new TransformerBlock(), [2, 3, 6]],
  ['Dropout in evaluation', () => new nn.Dropout(0.5).eval(), [2, 5]],
  ['Identity', () => new nn.Identity(), [2, 5]],
  ['Flatten', () => new nn.Flatten(), [2, 2, 3]],
  [
    'Sequential',
    () =>
      new nn.Sequential(
        new nn.Conv2d(1, 2, 3),
        new nn.BatchNorm2d(2),
        new nn.Tanh(),
        new nn.Flatten(),
        new nn.Linear(8, 2),
      ),
    [3, 1, 4, 4],
  ],
];

describe('gradients of modules agree with finite differences', () => {
  it.each(layers)('%s', (_, make, shape) => {
    scope(() => {
      manualSeed(1);
      const { module, parameters } = inFloat64(make());
      const x = input(...shape);
      expectGradients(() => weightedSum([module.forward(x)]), { x, ...parameters });
      module.free();
    });
  });

  it('Dropout in training, with the same mask each time', () => {
    scope(() => {
      const x = input(3, 6);
      const dropout = new nn.Dropout(0.4);
      const forward = () => {
        manualSeed(5);
        return weightedSum([dropout.forward(x)]);
      };
      expect(forward().item()).not.toBe(weightedSum([x]).item());
      expectGradients(forward, { x });
    });
  });

  it('MultiheadAttention with its own key and value, an added mask and a causal mask', () => {
    scope(() => {
      manualSeed(1);
      const { module, parameters } = inFloat64(new nn.MultiheadAttention(4, 2));
      const [query, key, value, mask] = [input(2, 3, 4), input(2, 5, 4), input(2, 5, 4), input(2, 1, 5)];
      const forward = () => weightedSum([module.forward(query, key, value, { mask, causal: true })]);
      expectGradients(forward, { query, key, value, mask, ...parameters });
      module.free();
    });
  });

  it('MultiheadAttention with dropout, with the same mask each time', () => {
    scope(() => {
      manualSeed(1);
      const { module, parameters } = inFloat64(new nn.MultiheadAttention(4, 2, { dropout: 0.4 }));
      const x = input(2, 3, 4);
      const forward = () => {
        manualSeed(5);
        return weightedSum([module.forward(x)]);
      };
      expectGradients(forward, { x, ...parameters });
      module.free();
    });
  });

  it('Embedding, where a symbol occurs twice', () => {
    scope(() => {
      const { module, parameters } = inFloat64(new nn.Embedding(4, 3));
      const symbols = tensor([[3, 0, 3]], 'int64');
      expectGradients(() => weightedSum([module.forward(symbols)]), parameters);
      module.free();
    });
  });

  it('LSTMCell over two steps', () => {
    scope(() => {
      const { module, parameters } = inFloat64(new nn.LSTMCell(3, 2));
      const [x, h, c] = [input(2, 3), input(2, 2), input(2, 2).mul(0.5).detach()];
      c.requiresGrad = true;
      expectGradients(() => weightedSum(module.forward(x, module.forward(x, [h, c]))), {
        x,
        h,
        c,
        ...parameters,
      });
      module.free();
    });
  });
});
