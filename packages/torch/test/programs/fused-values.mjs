// Prints the instruction set of the kernels, and the values and gradients of each kernel.
import { arange, fused, grad, manualSeed, nn, rand, randn } from '../../dist/index.js';

manualSeed(1);
const image = randn([2, 21, 9, 7]);
image.requiresGrad = true;
const units = [3, 3].map((kernel) => ({
  depthwise: new nn.Conv2d(21, 21, kernel, { padding: 1, groups: 21, bias: false }),
  pointwise: new nn.Conv2d(21, 21, 1, { bias: false }).weight,
  norm: new nn.BatchNorm2d(21),
}));
// Few channels: a register holds several pixels, and how many depends on the instruction set.
const narrow = [1, 2, 4, 8].map((channels) =>
  fused
    .reluConvNorm(randn([2, channels, 9, 7]), [
      {
        depthwise: new nn.Conv2d(channels, channels, 5, { padding: 2, groups: channels, bias: false }),
        pointwise: new nn.Conv2d(channels, channels, 1, { bias: false }).weight,
        norm: new nn.BatchNorm2d(channels),
      },
    ])
    .toTensor(),
);
const rectified = fused.batchNormRelu(image, new nn.BatchNorm2d(21));
const convolved = fused.reluConvNorm(image, units);
const pooled = fused.poolNorm(image, {
  kind: 'max',
  stride: 1,
  norms: [new nn.BatchNorm2d(21, { affine: false })],
});
const averaged = fused.poolNorm(image, {
  kind: 'avg',
  stride: 1,
  norms: [new nn.BatchNorm2d(21, { affine: false })],
});
const mixed = fused.mixture([convolved, pooled, averaged, image], randn([2, 4]), 21);
const highway = fused.mixedHighway(randn([3, 2, 21]), randn([3, 2, 42]), randn([3, 4]));
const learned = [
  image,
  ...units.flatMap(({ depthwise, pointwise, norm }) => [depthwise.weight, pointwise, norm.weight]),
];
const matrices = [randn([21, 42]), randn([21, 42]), randn([21, 42])].map((matrix) => matrix.mul(0.2));
for (const matrix of matrices) matrix.requiresGrad = true;
const recurrence = fused.mixedRecurrence(randn([2, 5, 42]), randn([5, 21]), {
  matrices,
  weights: randn([3, 4]),
  mask: undefined,
  norm: new nn.BatchNorm1d(21, { affine: false }),
});
const cells = [new nn.LSTMCell(21, 21), new nn.LSTMCell(21, 21)];
const recalling = fused.recallingLstm(randn([3, 2, 21]), rand([3, 2, 3]), cells);
const [left, right, weight] = [randn([9, 40]), randn([40, 37]), randn([40, 40])];
for (const matrix of [left, right, weight]) matrix.requiresGrad = true;
const product = fused.matmul(fused.linear(left, weight).mul(0.1), right);
const entropy = fused.crossEntropy(product.mul(0.1), arange(0, 36, 4));
const filters = [randn([21, 21, 3, 3]), randn([5, 21, 3, 3])].map((filter) => filter.mul(0.1));
for (const filter of filters) filter.requiresGrad = true;
const dense = fused.conv3x3(image, filters, { rectifies: true });
const gradients = grad(mixed[0].mul(mixed[1]).add(rectified.square()).sum(), learned);
gradients.push(...grad(recurrence.square().sum(), matrices));
gradients.push(
  ...grad(
    recalling.square().sum(),
    cells.flatMap((cell) => cell.parameters()),
  ),
);
gradients.push(...grad(dense.square().sum(), [image, ...filters]));
gradients.push(...grad(entropy.mul(50), [left, right, weight]));
const values = [
  ...mixed,
  ...narrow,
  rectified,
  dense,
  product,
  entropy,
  highway,
  recurrence,
  recalling,
  ...gradients,
].flatMap((tensor) => tensor.toNumbers());
console.log(JSON.stringify({ set: fused.instructionSet(), values }));
