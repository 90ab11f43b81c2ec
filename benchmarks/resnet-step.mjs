/** A training step of a CIFAR ResNet (He et al. 2015, section 4.2, with projections in the shortcuts). */
import { fused, nn } from '../packages/torch/dist/index.js';
import { classifierStep } from './driver/classifier-step.mjs';

class Block extends nn.Layer {
  constructor(inputs, outputs, stride) {
    super();
    this.conv1 = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outputs);
    this.conv2 = new nn.Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outputs);
    if (stride !== 1 || inputs !== outputs)
      this.shortcut = new nn.Sequential(
        new nn.Conv2d(inputs, outputs, 1, { stride, bias: false }),
        new nn.BatchNorm2d(outputs),
      );
  }

  forward(x) {
    const hidden = fused.batchNormRelu(this.conv1.forward(x), this.bn1);
    return this.bn2
      .forward(this.conv2.forward(hidden))
      .add(this.shortcut?.forward(x) ?? x)
      .relu();
  }
}

class ResNet extends nn.Layer {
  constructor({ blocks, channels, classes }) {
    super();
    this.conv = new nn.Conv2d(3, channels[0], 3, { padding: 1, bias: false });
    this.bn = new nn.BatchNorm2d(channels[0]);
    const layers = channels.flatMap((outputs, stage) =>
      Array.from({ length: blocks }, (_, block) => {
        const first = block === 0 && stage > 0;
        return new Block(first ? channels[stage - 1] : outputs, outputs, first ? 2 : 1);
      }),
    );
    this.layers = new nn.Sequential(...layers);
    this.linear = new nn.Linear(channels.at(-1), classes);
  }

  forward(x) {
    const features = this.layers.forward(fused.batchNormRelu(this.conv.forward(x), this.bn));
    return this.linear.forward(features.adaptiveAvgPool2d(1).flatten(1));
  }
}

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: { blocks: 3, channels: [16, 32, 64], batch: 64, size: 32, classes: 10, learningRate: 0.1 },
  checked: { learningRate: 1e-3 },
  onAnyDevice: true,
  unit: 'step',
  rounds: 30,
  steps: 10,
  layouts: ['default', 'channels_last'],
  targets: { channels_last: 1 / 1.05 },

  prepare(settings, startFile) {
    const training = { nesterov: true, weightDecay: 1e-4 };
    return classifierStep(() => new ResNet(settings), undefined, settings, training, startFile);
  },
};
