import { describe, expect, it } from 'vitest';
import { invoke, Operator } from '../../src/dispatcher.js';
import { sgdStep } from '../../src/fused/optimiser-steps.js';
import {
  backward,
  batchNorm,
  full,
  fused,
  grad,
  manualSeed,
  nn,
  noGrad,
  ones,
  rand,
  randn,
  scope,
  Tensor,
  tensor,
  zeros,
} from '../../src/index.js';
import { worst } from './comparison.js';

// Before these checks, the calls of this file ended the process, hung, or were silently wrong.

const plain = (channels: number, options: nn.BatchNormOptions = {}) =>
  new nn.BatchNorm2d(channels, { affine: false, ...options });

/** A batch norm in training, with the given parts. */
const normOf = (parts: Partial<Record<'weight' | 'bias' | 'running_mean' | 'running_var', Tensor>>) => ({
  training: true,
  epsilon: 1e-5,
  momentum: 0.1,
  ...parts,
});

const statistics = (channels: number) => ({
  running_mean: zeros([channels]),
  running_var: ones([channels]),
  num_batches_tracked: zeros([], { dtype: 'int64' }),
});

/** A depthwise convolution as the kernels see it: layers check their own arguments. */
const depthwise = (channels: number, { stride = 1, padding = 1, dilation = 1, bias = false } = {}) => ({
  weight: randn([channels, 1, 3, 3]),
  stride: [stride, stride] as const,
  padding: [padding, padding] as const,
  dilation: [dilation, dilation] as const,
  ...(bias ? { bias: zeros([channels]) } : {}),
});

const unit = (channels: number, options: Parameters<typeof depthwise>[1] = {}) => ({
  depthwise: depthwise(channels, options),
  pointwise: randn([channels, channels, 1, 1]),
  norm: plain(channels),
});

const relu_conv_norm = new Operator('espalier::relu_conv_norm', '');

const refused: [what: string, call: () => unknown, message: string][] = [
  [
    'a mixture of an image whose scale is shorter than its channels',
    () => fused.mixture([new fused.Normalised(randn([2, 4, 3, 3]), rand([1]), rand([1]))], ones([1, 1]), 4),
    "espalier::mixture: argument 'scales[0]' is Float[1]; allowed: Float[4] on the CPU",
  ],
  [
    'a mixture with a shift of another type',
    () =>
      fused.mixture(
        [new fused.Normalised(randn([2, 4, 3, 3]), rand([4]), rand([4], { dtype: 'float64' }))],
        ones([1, 1]),
        4,
      ),
    "espalier::mixture: argument 'shifts[0]' is Double[4]; allowed: Float[4] on the CPU",
  ],
  [
    'a unit that reads an image whose scale is shorter than its channels',
    () => fused.reluConvNorm(new fused.Normalised(randn([2, 4, 3, 3]), rand([1]), rand([1])), [unit(4)]),
    "espalier::relu_conv_norm: argument 'scales[0]' is Float[1]; allowed: Float[4] on the CPU",
  ],
  [
    'a unit that reads an image with a scale alone',
    () =>
      fused.reluConvNorm(
        new fused.Normalised(randn([2, 4, 3, 3]), rand([4]), undefined as unknown as Tensor),
        [unit(4)],
      ),
    'espalier::relu_conv_norm: inputs[0] has a scale and no shift; allowed: both or neither',
  ],
  [
    'a 3x3 convolution without filters',
    () => fused.conv3x3(randn([2, 4, 3, 3]), []),
    "espalier::conv3x3: argument 'weights' is empty; allowed: at least one tensor",
  ],
  [
    'a 3x3 convolution with filters of another size',
    () => fused.conv3x3(randn([2, 4, 3, 3]), [randn([4, 4, 3, 3]), randn([4, 4, 1, 1])]),
    "espalier::conv3x3: argument 'weights[1]' is Float[4, 4, 1, 1]; allowed: Float[4, 4, 3, 3] on the CPU",
  ],
  [
    'a 3x3 convolution of an image without values',
    () => fused.conv3x3(zeros([0, 4, 3, 3]), [randn([4, 4, 3, 3])]),
    "espalier::conv3x3: argument 'input' is Float[0, 4, 3, 3]; allowed: at least one value",
  ],
  [
    'expanded running statistics',
    () =>
      fused.normalise(randn([2, 4, 3, 3]), [
        { ...normOf({}), ...statistics(4), running_mean: zeros([1]).expand([4]) },
      ]),
    "espalier::normalise: argument 'running_mean' is expanded or negated",
  ],
  [
    'running statistics of other channels',
    () => fused.normalise(randn([2, 4, 3, 3]), [{ ...normOf({}), ...statistics(3) }]),
    "espalier::normalise: argument 'running_mean' is Float[3]; allowed: Float[4] on the CPU",
  ],
  [
    'an empty num_batches_tracked',
    () =>
      fused.normalise(randn([2, 4, 3, 3]), [
        { ...normOf({}), ...statistics(4), num_batches_tracked: zeros([0], { dtype: 'int64' }) },
      ]),
    "espalier::normalise: argument 'num_batches_tracked' is Long[0]; allowed: one int64 on the CPU",
  ],
  [
    'a num_batches_tracked that is not int64',
    () =>
      fused.batchNormRelu(
        randn([2, 4, 3, 3]),
        Object.assign(new nn.BatchNorm2d(4), { num_batches_tracked: zeros([]) }),
      ),
    "espalier::batch_norm_relu: argument 'num_batches_tracked' is Float[]; allowed: one int64 on the CPU",
  ],
  [
    'a tensor of another device',
    () => fused.mixedHighway(randn([2, 3, 4]), zeros([2, 3, 8], { device: 'meta' }), rand([2, 4])),
    "espalier::mixed_highway: argument 'products' is Float[2, 3, 8] on meta; allowed: Float[2, 3, 8] on the CPU",
  ],
  [
    'a recurrence that reads an odd number of columns',
    () =>
      fused.mixedRecurrence(randn([2, 3, 9]), randn([3, 4]), {
        matrices: [randn([4, 8]), randn([4, 8])],
        weights: rand([1, 4]),
        mask: undefined,
        norm: new nn.BatchNorm1d(4, { affine: false }),
      }),
    "espalier::mixed_recurrence: argument 'read' is Float[2, 3, 9]; allowed: an even number of columns, at least 2",
  ],
  [
    'a recurrence whose mask requires a gradient',
    () => {
      const mask = ones([3, 4]);
      mask.requiresGrad = true;
      const matrices = [randn([4, 8]), randn([4, 8])];
      const norm = new nn.BatchNorm1d(4, { affine: false });
      fused.mixedRecurrence(randn([2, 3, 8]), randn([3, 4]), { matrices, weights: rand([1, 4]), mask, norm });
    },
    "espalier::mixed_recurrence: argument 'mask' requires a gradient",
  ],
  [
    'pooling with stride 0',
    () => fused.pool(randn([2, 4, 3, 3]), 'max', 0),
    "espalier::pool: argument 'stride' is 0; allowed: 1 to 2147483647",
  ],
  [
    'pooling of images of height 0',
    () => fused.pool(randn([2, 4, 0, 3]), 'avg', 2),
    "espalier::pool: argument 'input' is Float[2, 4, 0, 3]; allowed: at least one channel, row and column",
  ],
  [
    'pooling and batch norm of images of height 0',
    () => fused.poolNorm(randn([2, 4, 0, 3]), { kind: 'max', stride: 2, norms: [plain(4)] }),
    "espalier::pool_norm: argument 'input' is Float[2, 4, 0, 3]; allowed: at least one channel, row and column",
  ],
  [
    'a unit with stride 0',
    () => fused.reluConvNorm(randn([2, 4, 3, 3]), [unit(4, { stride: 0 })]),
    "espalier::relu_conv_norm: argument 'stride' is 0; allowed: 1 to 2147483647",
  ],
  [
    'a unit with dilation 0',
    () => fused.reluConvNorm(randn([2, 4, 3, 3]), [unit(4, { dilation: 0 })]),
    "espalier::relu_conv_norm: argument 'dilation' is 0; allowed: 1 to 2147483647",
  ],
  [
    'a dilation whose images no memory holds',
    () => fused.reluConvNorm(randn([2, 4, 3, 3]), [unit(4, { dilation: 2 ** 31 - 1, padding: 2 ** 31 - 1 })]),
    'espalier::relu_conv_norm: the padded images are 4294967297 x 4294967297; allowed: what fits into memory',
  ],
  [
    'filters larger than the image, with stride',
    () => fused.reluConvNorm(randn([2, 4, 2, 2]), [unit(4, { stride: 2, padding: 0 })]),
    'espalier::relu_conv_norm: nothing is left of an input [2, 4, 2, 2] for filters 3 wide',
  ],
  [
    'a unit with 0 output channels',
    () => fused.reluConvNorm(randn([2, 4, 3, 3]), [{ pointwise: randn([0, 4, 1, 1]), norm: normOf({}) }]),
    "espalier::relu_conv_norm: argument 'pointwise[0]' is Float[0, 4, 1, 1]; allowed: [out, C, 1, 1], not empty",
  ],
  [
    'a unit of images of height 0',
    () => fused.reluConvNorm(randn([2, 4, 0, 3]), [unit(4, { padding: 2 })]),
    "espalier::relu_conv_norm: argument 'inputs[0]' is Float[2, 4, 0, 3]; allowed: at least one image, channel, row and column",
  ],
  [
    'a negative number of units',
    () => {
      const [image, weight] = [randn([2, 4, 3, 3]).handle, randn([4, 4, 1, 1]).handle];
      const rest = [[image], [null], [null], [], [weight], [], [], [], [2, -1], 1, [0, 0], [1, 1], 0.1, 1e-5];
      invoke(relu_conv_norm, ...rest);
    },
    "espalier::relu_conv_norm: argument 'groups' is -1; allowed: 1 to 2147483647",
  ],
  [
    'units of one kind with several strides',
    () => fused.reluConvNorm(randn([2, 4, 4, 4]), [unit(4), unit(4, { stride: 2 })]),
    'relu_conv_norm: the depthwise convolutions of one kind have the stride [1,1] and [2,2]; allowed: one number for all',
  ],
  [
    'kinds of units with several strides',
    () => fused.reluConvNorms([randn([2, 4, 4, 4])], [[unit(4)], [unit(4, { stride: 2 })]]),
    'relu_conv_norm: kinds of units have the strides 1, 2; allowed: one stride',
  ],
  [
    'a depthwise convolution with a bias',
    () => fused.reluConvNorm(randn([2, 4, 4, 4]), [unit(4, { bias: true })]),
    'relu_conv_norm: a depthwise convolution has a bias; allowed: none',
  ],
  [
    'no units',
    () => fused.reluConvNorms([randn([2, 4, 4, 4])], []),
    'relu_conv_norm: there is no batch norm',
  ],
  [
    'poolings of which one keeps statistics',
    () =>
      fused.poolNorm(randn([2, 4, 3, 3]), {
        kind: 'max',
        stride: 1,
        norms: [plain(4), plain(4, { trackRunningStats: false })],
      }),
    'pool_norm: batch norms of one call differ in keeping running statistics: true (number 0), false (number 1)',
  ],
  [
    'poolings with several strides',
    () =>
      fused.poolNorms(
        randn([2, 4, 4, 4]),
        [1, 2].map((stride) => ({ kind: 'max', stride, norms: [plain(4)] }) as const),
      ),
    'pool_norm: poolings have the strides 1, 2; allowed: one stride',
  ],
  [
    'pooling with a learned batch norm',
    () => fused.poolNorm(randn([2, 4, 3, 3]), { kind: 'max', stride: 1, norms: [new nn.BatchNorm2d(4)] }),
    'pool_norm: a batch norm has a weight and a bias; allowed: neither (affine: false)',
  ],
  [
    'batch norms with several epsilons',
    () => fused.normalise(randn([2, 8, 3, 3]), [plain(4), plain(4, { epsilon: 1e-3 })]),
    'normalise: batch norms of one call differ in epsilon: 0.00001 (number 0), 0.001 (number 1)',
  ],
  [
    'batch norms of which one is in evaluation',
    () => fused.normalise(randn([2, 8, 3, 3]), [plain(4), plain(4).eval()]),
    'normalise: batch norms of one call differ in training: true (number 0), false (number 1)',
  ],
  [
    'a batch norm with a weight alone',
    () => fused.normalise(randn([2, 4, 3, 3]), [normOf({ weight: ones([4]) })]),
    'normalise: batch norm 0 has a weight or a bias alone; allowed: both or neither',
  ],
  [
    'a step of an expanded parameter',
    () => {
      const rule = { learningRate: 1, momentum: 0, nesterov: false, weightDecay: 0 };
      sgdStep([zeros([4]), zeros([1]).expand([4])], [ones([4]), ones([4])], [], rule);
    },
    'espalier::sgd_step: tensor 1 of list 0 is expanded: several of its elements share one value',
  ],
];

describe('a kernel refuses', () => {
  it.each(refused)('%s', (_, call, message) => {
    scope(() => expect(call).toThrow(message));
  });
});

/** A view of the same values that is not contiguous. */
function strided(values: Tensor): Tensor {
  const room = values.newZeros([...values.shape.slice(0, -1), 2 * (values.shape.at(-1) as number)]);
  const view = room.slice(-1, 0, undefined, 2);
  noGrad(() => view.copy_(values));
  return view;
}

describe('a kernel reads and writes tensors that are not contiguous:', () => {
  it('the parameters and statistics of a batch norm', () => {
    scope(() => {
      manualSeed(2);
      const values = randn([3, 4, 5, 2]);
      const [weight, bias] = [randn([4]), randn([4])];
      const ours = {
        ...normOf({ weight: strided(weight), bias: strided(bias) }),
        ...statistics(4),
        running_mean: strided(zeros([4])),
        running_var: strided(ones([4])),
      };
      const [mean, variance] = [zeros([4]), ones([4])];
      const expected = batchNorm(values, weight, bias, mean, variance, true, 0.1, 1e-5, true);
      for (const leaf of [values, weight, bias, ours.weight as Tensor, ours.bias as Tensor])
        leaf.requiresGrad = true;
      const output = fused.normalise(values, [ours]).toTensor();
      expect(worst(output.toNumbers(), expected.toNumbers())).toBeLessThan(1e-5);
      expect(worst(ours.running_mean.toNumbers(), mean.toNumbers())).toBeLessThan(1e-6);
      expect(worst(ours.running_var.toNumbers(), variance.toNumbers())).toBeLessThan(1e-6);
      const gradients = [randn(output.shape)];
      const own = grad(output, [values, ours.weight as Tensor, ours.bias as Tensor], { gradients });
      const again = batchNorm(values, weight, bias, undefined, undefined, true, 0.1, 1e-5, true);
      for (const [place, gradient] of grad(again, [values, weight, bias], { gradients }).entries())
        expect(worst(own[place]!.toNumbers(), gradient.toNumbers()), `gradient ${place}`).toBeLessThan(1e-5);
    });
  });

  it('the scale and shift of an image, and the weights of a unit', () => {
    scope(() => {
      manualSeed(3);
      const [values, scale, shift] = [randn([2, 4, 3, 3]), rand([4]), randn([4])];
      const { norm, depthwise: filters, pointwise } = unit(4);
      const { stride, padding, dilation } = filters;
      const run = (of: (each: Tensor) => Tensor) => {
        const read = new fused.Normalised(of(values), of(scale), of(shift));
        const separable = { weight: of(filters.weight), stride, padding, dilation };
        const units = [{ depthwise: separable, pointwise: of(pointwise), norm }];
        const sums = fused.mixture([read, fused.reluConvNorm(read, units)], of(rand([1, 2])), 4);
        return sums[0]!.toNumbers();
      };
      manualSeed(4);
      const contiguous = run((each) => each);
      manualSeed(4);
      expect(run(strided)).toEqual(contiguous);
    });
  });

  it('a view whose negation libtorch has put off', () => {
    scope(() => {
      const negated = new Tensor(
        invoke(new Operator('aten::_neg_view', ''), tensor([[1, 2]]).handle) as number,
      );
      expect(negated.toNumbers()).toEqual([-1, -2]);
      expect(fused.matmul(negated, tensor([[1], [10]])).item()).toBe(-21);
    });
  });
});

describe('empty tensors', () => {
  it('have gradients of zeros in a linear layer', () => {
    scope(() => {
      const layer = new nn.Linear(3, 2);
      const input = randn([0, 3]);
      input.requiresGrad = true;
      backward(layer.forward(input).sum());
      expect(layer.weight.grad?.toNumbers()).toEqual([0, 0, 0, 0, 0, 0]);
      expect(layer.bias?.grad?.toNumbers()).toEqual([0, 0]);
      expect(input.grad?.shape).toEqual([0, 3]);
    });
  });

  it('multiply to zeros, or to the bias, where they share an empty dimension', () => {
    scope(() => {
      expect(fused.matmul(zeros([2, 0]), zeros([0, 3])).toNumbers()).toEqual([0, 0, 0, 0, 0, 0]);
      expect(fused.linear(zeros([2, 0]), zeros([1, 0]), tensor([5])).toNumbers()).toEqual([5, 5]);
      expect(fused.matmul(zeros([2, 3]), zeros([3, 0])).shape).toEqual([2, 0]);
    });
  });

  it.each(['max', 'avg'] as const)('are pooled (%s) to an empty batch', (kind) => {
    scope(() => {
      const input = zeros([0, 4, 5, 5]);
      input.requiresGrad = true;
      const output = fused.pool(input, kind, 2);
      expect(output.shape).toEqual([0, 4, 3, 3]);
      expect(grad(output.sum(), [input])[0]?.shape).toEqual([0, 4, 5, 5]);
    });
  });
});

describe('differentiating a graph a second time', () => {
  const units = [{ pointwise: ones([4, 4, 1, 1]).keep(), norm: plain(4) }];
  it.each<[string, (image: Tensor) => Tensor]>([
    ['relu_conv_norm', (image) => fused.reluConvNorm(image, units).values],
    ['pool_norm', (image) => fused.poolNorm(image, { kind: 'max', stride: 1, norms: [plain(4)] }).values],
    ['pool', (image) => fused.pool(image, 'max', 1)],
    ['mixture', (image) => fused.mixture([image], ones([1, 1]), 4)[0] as Tensor],
    ['normalise', (image) => fused.normalise(image, [plain(4)]).scale],
    ['matmul', (image) => fused.matmul(image, image.detach().mul(1).select(0, 0).select(0, 0))],
  ])('is an error of %s, which has freed what it saved', (name, run) => {
    scope(() => {
      const image = randn([2, 4, 3, 3]);
      image.requiresGrad = true;
      const kept = run(image).sum();
      const [first] = grad(kept, [image], { retainGraph: true });
      expect(grad(kept, [image])[0]?.toNumbers()).toEqual(first?.toNumbers());
      expect(() => grad(kept, [image])).toThrow(`${name}: the graph was differentiated before`);
    });
  });
});

it('max pooling of minus infinity gives its gradient to the first pixel of the window, as in libtorch', () => {
  scope(() => {
    const image = full([1, 1, 3, 3], Number.NEGATIVE_INFINITY, { dtype: 'float32' });
    image.requiresGrad = true;
    const layer = new nn.MaxPool2d(3, { stride: 1, padding: 1 });
    const gradient = (output: Tensor) => grad(output.sum(), [image])[0]?.toNumbers();
    expect(gradient(layer.forward(image))).toEqual([4, 2, 0, 2, 1, 0, 0, 0, 0]);
    expect(gradient(fused.withoutKernels(() => layer.forward(image)))).toEqual([4, 2, 0, 2, 1, 0, 0, 0, 0]);
  });
});

it('the shares of a mixture must not change before the backward pass', () => {
  scope(() => {
    const image = randn([2, 1, 3, 3]);
    image.requiresGrad = true;
    const shares = ones([2, 1]);
    const sum = (fused.mixture([image], ones([1, 1]), 1, shares)[0] as Tensor).sum();
    shares.mul_(5);
    expect(() => grad(sum, [image])).toThrow('modified by an inplace operation');
  });
});
