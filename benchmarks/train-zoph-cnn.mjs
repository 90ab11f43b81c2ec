/**
 * A training step of a child network of Zoph & Le 2016 (section 4.1): an architecture with skip connections, sampled
 * uniformly from their space.
 */
import { buildNetwork, Space, spaces } from '../packages/espalier/dist/index.js';
import { Random } from '../packages/espalier/dist/random/random.js';
import { classifierStep } from './driver/classifier-step.mjs';
import { imageShape } from './driver/inputs.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: { layers: 8, batch: 64, size: 32, classes: 10, learningRate: 0.1 },
  checked: { learningRate: 1e-3 },
  onAnyDevice: true,
  unit: 'step',
  rounds: 5,
  steps: 3,
  layouts: ['default', 'channels_last'],
  targets: { channels_last: 1.5 },

  prepare(settings, startFile) {
    const space = Space.configure(spaces.get('zoph-cnn'), { layers: settings.layers });
    const architecture = space.decode(space.sample(Random.of(1, 'architecture')));
    const build = () => buildNetwork(space, architecture, imageShape(settings));
    const training = { nesterov: true, weightDecay: 1e-4 };
    return classifierStep(build, architecture, settings, training, startFile);
  },
};
