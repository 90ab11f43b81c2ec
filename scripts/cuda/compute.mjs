// What the torch package computes on a device. Argument: the device. Ends with an error where something is wrong.
import assert from 'node:assert/strict';
import {
  autocast,
  backward,
  fused,
  generatorState,
  libtorchVersion,
  manualSeed,
  nn,
  ones,
  randn,
  setGeneratorState,
} from '../../packages/torch/dist/index.js';

const device = process.argv[2] ?? 'cuda';

// The same convolution, with its gradient, as on the CPU.
manualSeed(1);
const layer = new nn.Conv2d(8, 16, 3, { padding: 1 });
const images = randn([4, 8, 10, 10]);
const gradientOn = (on) => {
  layer.to({ device: on });
  layer.weight.grad?.zero_();
  backward(
    layer
      .forward(images.to({ device: on }))
      .pow(2)
      .mean(),
  );
  return layer.weight.grad.to({ device: 'cpu' }).clone();
};
const apart = Math.max(...gradientOn('cpu').sub(gradientOn(device)).abs().toNumbers());
assert(apart < 1e-3, `gradients are ${apart} apart`);

// Dropout draws from the device's generator, which goes back to where it was.
const dropped = () => new nn.Dropout(0.5).forward(ones([200], { device })).toNumbers();
const state = generatorState(device);
const first = dropped();
assert.notDeepEqual(dropped(), first);
setGeneratorState(state, device);
assert.deepEqual(dropped(), first);

const product = autocast('bfloat16', () => ones([4, 4], { device }).matmul(ones([4, 4], { device })), device);
assert.equal(product.dtype, 'bfloat16');
assert.equal(fused.runsKernels(ones([1], { device })), device === 'cpu');
console.log(`libtorch ${libtorchVersion()}, gradients ${apart.toExponential(1)} apart`);
