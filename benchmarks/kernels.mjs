/**
 * Times each kernel of packages/torch/native/kernels against the libtorch operators that it replaces, forward and backward,
 * at the sizes of DARTS searches: `npm run bench:kernels [-- --threads T]`. Both sides use channels_last.
 */
import { parseArgs } from 'node:util';
import {
  backward,
  cat,
  conv2d,
  fused,
  grad,
  linear,
  nn,
  optim,
  rand,
  randint,
  randn,
  scope,
  setThreads,
  stack,
} from '../packages/torch/dist/index.js';
import { median } from './driver/statistics.mjs';

const { values: flags } = parseArgs({
  options: { threads: { type: 'string', default: '2' }, rounds: { type: 'string', default: '31' } },
});
setThreads(Number(flags.threads));
const rounds = Number(flags.rounds);

const image = (channels, size) => {
  const made = randn([16, channels, size, size]).contiguous({ memoryFormat: 'channels_last' }).keep();
  made.requiresGrad = true;
  return made;
};
const channelsLast = (module) => module.to({ memoryFormat: 'channels_last' });
const norm = (channels) => new nn.BatchNorm2d(channels, { affine: false });
const vector = (values) => values.reshape([1, -1, 1, 1]);

/** The kernel units of `edges` edges that read the same state. */
function units(edges, channels, kernel, dilation, stride) {
  return Array.from({ length: edges }, () => ({
    depthwise: channelsLast(
      new nn.Conv2d(channels, channels, kernel, {
        stride,
        dilation,
        padding: (dilation * (kernel - 1)) / 2,
        groups: channels,
        bias: false,
      }),
    ),
    pointwise: channelsLast(new nn.Conv2d(channels, channels, 1, { bias: false })).weight,
    norm: norm(channels),
  }));
}

function reluConvNorm(channels, size, kernel, dilation = 1, stride = 1) {
  const edges = 4;
  const made = units(edges, channels, kernel, dilation, stride);
  const input = image(channels, size);
  const learned = [input, ...made.flatMap(({ depthwise, pointwise }) => [depthwise.weight, pointwise])];
  return {
    name: `relu_conv_norm, ${kernel}x${kernel}${dilation > 1 ? ', dilated' : ''}${stride > 1 ? ', stride 2' : ''}, ${edges} edges`,
    sizes: `16x${channels}x${size}x${size}`,
    ours: () => grad(fused.reluConvNorm(input, made).toTensor(), learned, { gradients: [ones(made, input)] }),
    theirs: () => {
      const outputs = made.map((unit) =>
        fused.withoutKernels(() =>
          unit.norm.forward(conv2d(unit.depthwise.forward(input.relu()), unit.pointwise)),
        ),
      );
      return grad(cat(outputs, 1), learned, { gradients: [ones(made, input)] });
    },
  };
}

/** Rectified linear units and the 3x3 filters of `edges` edges that read the same state. */
function conv3x3(edges, channels, size) {
  const input = image(channels, size);
  const weights = Array.from({ length: edges }, () => randn([channels, channels, 3, 3]).keep());
  for (const weight of weights) weight.requiresGrad = true;
  const learned = [input, ...weights];
  const slopes = randn([16, channels * edges, size, size])
    .contiguous({ memoryFormat: 'channels_last' })
    .keep();
  return {
    name: `conv3x3, ${edges} edge${edges === 1 ? '' : 's'}`,
    sizes: `16x${channels}x${size}x${size}`,
    ours: () => grad(fused.conv3x3(input, weights, { rectifies: true }), learned, { gradients: [slopes] }),
    theirs: () =>
      grad(conv2d(input.relu(), cat(weights), undefined, [1, 1], [1, 1]), learned, { gradients: [slopes] }),
  };
}

const gradients = new Map();
function ones(made, input) {
  const [images, channels, height, width] = input.shape;
  const [stride] = made[0].depthwise.stride;
  const shape = [images, channels * made.length, height / stride, width / stride];
  const key = shape.join();
  if (!gradients.has(key))
    gradients.set(key, rand(shape).contiguous({ memoryFormat: 'channels_last' }).keep());
  return gradients.get(key);
}

function poolNorm(kind, channels, size) {
  const input = image(channels, size);
  const own = norm(channels);
  const pool =
    kind === 'max'
      ? new nn.MaxPool2d(3, { stride: 1, padding: 1 })
      : new nn.AvgPool2d(3, { stride: 1, padding: 1, countIncludePad: false });
  return {
    name: `pool_norm, ${kind} pooling`,
    sizes: `16x${channels}x${size}x${size}`,
    ours: () =>
      backward(
        fused
          .poolNorm(input, { kind, stride: 1, norms: [own] })
          .toTensor()
          .sum(),
      ),
    theirs: () => backward(fused.withoutKernels(() => own.forward(pool.forward(input))).sum()),
    inputs: [input],
  };
}

function pooling(kind, channels, size) {
  const input = image(channels, size);
  const layer =
    kind === 'max'
      ? new nn.MaxPool2d(3, { stride: 1, padding: 1 })
      : new nn.AvgPool2d(3, { stride: 1, padding: 1, countIncludePad: false });
  return {
    name: `pool, ${kind} pooling alone`,
    sizes: `16x${channels}x${size}x${size}`,
    ours: () => backward(fused.pool(input, kind, 1).sum()),
    theirs: () => backward(fused.withoutKernels(() => layer.forward(input)).sum()),
    inputs: [input],
  };
}

function mixture(channels, size) {
  const edges = 4;
  const own = (width) => new fused.Normalised(image(width, size), rand([width]).keep(), rand([width]).keep());
  const terms = [own(channels), image(channels, size), ...[1, 2, 3, 4].map(() => own(channels * edges))];
  const weights = rand([edges, terms.length]).keep();
  weights.requiresGrad = true;
  const values = terms.map((term) => (term instanceof fused.Normalised ? term.values : term));
  const learned = [weights, ...values];
  const sum = (outputs) => grad(stack(outputs).sum(), learned);
  return {
    name: `mixture of ${terms.length} candidates, ${edges} edges`,
    sizes: `16x${channels}x${size}x${size}`,
    ours: () => sum(fused.mixture(terms, weights, channels)),
    theirs: () => {
      const normalised = terms.map((term) =>
        term instanceof fused.Normalised ? term.values.mul(vector(term.scale)).add(vector(term.shift)) : term,
      );
      const outputs = weights.unbind(0).map((row, edge) => {
        const each = row.unbind(0);
        return normalised
          .map((term, t) =>
            (term.shape[1] === channels ? term : term.narrow(1, edge * channels, channels)).mul(each[t]),
          )
          .reduce((total, term) => total.add(term));
      });
      return sum(outputs);
    },
  };
}

function normalise(channels, size) {
  const input = image(channels, size);
  const own = norm(channels);
  return {
    name: 'normalise (batch norm after a full convolution)',
    sizes: `16x${channels}x${size}x${size}`,
    ours: () => backward(fused.normalise(input, [own]).toTensor().sum()),
    theirs: () => backward(fused.withoutKernels(() => own.forward(input)).sum()),
    inputs: [input],
  };
}

function batchNormRelu(channels, size) {
  const input = image(channels, size);
  const own = norm(channels);
  return {
    name: 'batch_norm_relu (both after a full convolution)',
    sizes: `16x${channels}x${size}x${size}`,
    ours: () => backward(fused.batchNormRelu(input, own).sum()),
    theirs: () => backward(fused.withoutKernels(() => fused.batchNormRelu(input, own)).sum()),
    inputs: [input],
  };
}

function halves(channels, size) {
  const input = image(channels, size);
  const second = (seen) => seen.slice(2, 0, undefined, 2).slice(3, 0, undefined, 2);
  return {
    name: 'halves (factorized reduction)',
    sizes: `16x${channels}x${size}x${size}`,
    ours: () => backward(fused.halves(input).sum()),
    theirs: () => backward(cat([second(input), second(input.slice(2, 1).slice(3, 1))], 1).sum()),
    inputs: [input],
  };
}

function mixedHighway() {
  const [edges, texts, units] = [8, 64, 300];
  const inputs = [randn([edges, texts, units]), randn([edges, texts, 2 * units]), rand([edges, 4])].map(
    (each) => each.keep(),
  );
  for (const each of inputs) each.requiresGrad = true;
  const [states, products, weights] = inputs;
  return {
    name: `mixed_highway, ${edges} edges`,
    sizes: `${texts} texts, ${units} units`,
    ours: () => grad(fused.mixedHighway(states, products, weights).sum(), inputs),
    theirs: () => {
      const [gate, value] = products.chunk(2, 2);
      const opened = gate.sigmoid();
      const columns = weights.unbind(1).map((column) => column.reshape([-1, 1, 1]));
      const sum = [value.tanh(), value.relu(), value.sigmoid(), value]
        .map((activated, k) => states.add(opened.mul(activated.sub(states))).mul(columns[k]))
        .reduce((total, term) => total.add(term));
      return grad(sum.sum([0]).sum(), inputs);
    },
  };
}

function product(rows, inputs, outputs) {
  const matrices = [randn([rows, inputs]), randn([outputs, inputs]), randn([outputs])].map((each) =>
    each.keep(),
  );
  for (const each of matrices) each.requiresGrad = true;
  const [input, weight, bias] = matrices;
  const slopes = [randn([rows, outputs]).keep()];
  return {
    name: 'matmul (a linear layer)',
    sizes: `${rows}x${inputs} to ${outputs}`,
    ours: () => grad(fused.linear(input, weight, bias), matrices, { gradients: slopes }),
    theirs: () => grad(linear(input, weight, bias), matrices, { gradients: slopes }),
  };
}

function crossEntropy(rows, tokens) {
  const logits = randn([rows, tokens]).keep();
  logits.requiresGrad = true;
  const targets = randint(0, tokens, [rows], { dtype: 'int64' }).keep();
  return {
    name: 'cross_entropy over a vocabulary',
    sizes: `${rows} rows, ${tokens} tokens`,
    ours: () => grad(fused.crossEntropy(logits, targets), [logits]),
    theirs: () => grad(logits.crossEntropyLoss(targets), [logits]),
  };
}

/** An optimiser step for as many parameters as a supernet has, most of them small. */
function optimiserStep(count, size) {
  const parameters = Array.from({ length: count }, () => new nn.Parameter(randn([size])));
  for (const parameter of parameters) parameter.grad = randn([size]);
  const make = () => new optim.SGD(parameters, { learningRate: 1e-6, momentum: 0.9, weightDecay: 3e-4 });
  const [own, other] = [make(), make()];
  const step = (optimizer) => {
    optim.clipGradientNorm(parameters, 5);
    optimizer.step();
  };
  return {
    name: 'clip_gradients and sgd_step',
    sizes: `${count} parameters of ${size} values`,
    ours: () => step(own),
    theirs: () => fused.withoutKernels(() => step(other)),
  };
}

const cases = [
  reluConvNorm(16, 32, 3),
  reluConvNorm(16, 32, 5),
  reluConvNorm(16, 32, 3, 2),
  reluConvNorm(16, 32, 5, 2),
  reluConvNorm(32, 32, 3, 1, 2),
  reluConvNorm(64, 8, 3),
  reluConvNorm(64, 8, 5, 2),
  reluConvNorm(4, 16, 3),
  reluConvNorm(4, 16, 5, 2),
  reluConvNorm(8, 8, 5),
  reluConvNorm(36, 32, 3),
  reluConvNorm(36, 32, 7),
  reluConvNorm(144, 8, 5),
  conv3x3(3, 16, 32),
  conv3x3(1, 16, 32),
  conv3x3(1, 4, 32),
  conv3x3(1, 36, 32),
  conv3x3(3, 64, 8),
  conv3x3(1, 256, 8),
  poolNorm('max', 16, 32),
  poolNorm('avg', 16, 32),
  pooling('max', 36, 32),
  pooling('avg', 32, 32),
  mixture(16, 32),
  normalise(32, 32),
  batchNormRelu(32, 32),
  halves(16, 32),
  mixedHighway(),
  product(2240, 300, 10_000),
  product(64, 300, 600),
  crossEntropy(2240, 10_000),
  optimiserStep(1400, 400),
];

const timed = (body) => {
  const begin = performance.now();
  scope(body);
  return performance.now() - begin;
};

console.log(
  `${flags.threads} threads, ${fused.instructionSet()}; ms for forward and backward (kernel, libtorch, speedup), median of ${rounds}`,
);
for (const { name, sizes, ours, theirs, inputs = [] } of cases) {
  const times = { ours: [], theirs: [] };
  // The first rounds are not counted, because they allocate new memory.
  for (let round = -10; round < rounds; round++)
    for (const [side, body] of Object.entries({ ours, theirs })) {
      const took = timed(body);
      for (const input of inputs) input.grad = undefined;
      if (round >= 0) times[side].push(took);
    }
  const [own, other] = [median(times.ours), median(times.theirs)];
  console.log(
    `${name.padEnd(52)} ${sizes.padEnd(22)} ${own.toFixed(2).padStart(8)} ${other.toFixed(2).padStart(8)} ${(other / own).toFixed(1).padStart(6)}x`,
  );
}
