// Runs the forward and the backward pass of each kernel on small tensors, each pass with one thread more than the pass before, and
// prints for each pass whether the process got a new thread. Argument: the least work that kernels divide among threads.
import { readdirSync } from 'node:fs';
import { adamStep, clipGradients, sgdStep } from '../../dist/fused/optimiser-steps.js';
import { backward, fused, nn, ones, rand, randint, randn, setThreads, zeros } from '../../dist/index.js';
import { native } from '../../dist/native.js';

native.setLeastWork(Number(process.argv[2]));
const threadsOfProcess = () => readdirSync('/proc/self/task').length;

const leaf = (shape) => {
  const tensor = randn(shape);
  tensor.requiresGrad = true;
  return tensor;
};
// More images, rows and columns of panels than there are threads.
const images = () => leaf([40, 4, 4, 4]);
const norm = (options = {}) => new nn.BatchNorm2d(4, { affine: false, ...options });
const unit = {
  depthwise: new nn.Conv2d(4, 4, 3, { padding: 1, groups: 4, bias: false }),
  pointwise: leaf([4, 4, 1, 1]),
  norm: norm({ affine: true }),
};
const values = () => [randn([10, 10])];
const rule = { rate: 0.1, root: 1, betas: [0.9, 0.99], epsilon: 1e-3, weightDecay: 0, shrinks: 1 };

const kernels = {
  // Threads share blocks of 32 tiles of 4x4 pixels.
  conv3x3: () => fused.conv3x3(leaf([70, 1, 16, 16]), [leaf([1, 1, 3, 3])]),
  matmul: () => fused.matmul(leaf([2, 2000]), leaf([2000, 2000])),
  linear: () => fused.linear(leaf([2, 2000]), leaf([2000, 2000]), leaf([2000])),
  crossEntropy: () => fused.crossEntropy(leaf([40, 7]), randint(0, 7, [40], { dtype: 'int64' })),
  batchNormRelu: () => fused.batchNormRelu(images(), norm()),
  normalise: () => fused.normalise(images(), [norm()]).scale,
  pool: () => fused.pool(images(), 'max', 1),
  poolNorm: () => fused.poolNorm(images(), { kind: 'avg', stride: 1, norms: [norm()] }).values,
  halves: () => fused.halves(images()),
  mixture: () => fused.mixture([images()], ones([1, 1]), 4)[0],
  reluConvNorm: () => fused.reluConvNorm(images(), [unit]).values,
  mixedHighway: () => fused.mixedHighway(leaf([2, 40, 3]), leaf([2, 40, 6]), rand([2, 4])),
  mixedRecurrence: () =>
    fused.mixedRecurrence(leaf([1, 40, 6]), leaf([40, 3]), {
      matrices: [leaf([3, 6]), leaf([3, 6])],
      weights: rand([1, 4]),
      mask: undefined,
      norm: new nn.BatchNorm1d(3, { affine: false }),
    }),
  sgd: () =>
    sgdStep(values(), values(), [], { learningRate: 1, momentum: 0, nesterov: false, weightDecay: 0 }),
  adam: () => adamStep(values(), values(), [zeros([10, 10])], [ones([10, 10])], rule),
  clip: () => clipGradients(values(), 1),
};

backward(leaf([1]).sum()); // makes whatever libtorch makes at its first backward pass
let threads = 2;
function grows(pass) {
  setThreads(threads++);
  const before = threadsOfProcess();
  pass();
  return threadsOfProcess() > before;
}

const report = {};
for (const [name, run] of Object.entries(kernels)) {
  let output;
  report[name] = [
    grows(() => {
      output = run();
    }),
  ];
  if (output?.requiresGrad !== true) continue;
  const gradients = [ones(output.shape)];
  report[name].push(grows(() => backward(output, { gradients })));
}
console.log(JSON.stringify(report));
