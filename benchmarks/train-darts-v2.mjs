/**
 * A training step of the second-order DARTS network in the paper's final training (section A.2.1), with an auxiliary head of
 * weight 0.4, and drop path with the probability reached halfway through the training. The paper uses batches of 96.
 */
import { hub } from '../packages/espalier/dist/hub/hub.js';
import { buildNetwork, Space, spaces } from '../packages/espalier/dist/index.js';
import { classifierStep } from './driver/classifier-step.mjs';
import { imageShape } from './driver/inputs.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: {
    channels: 36,
    layers: 20,
    batch: 16,
    size: 32,
    classes: 10,
    learningRate: 0.025,
    dropPath: 0.1,
  },
  checked: { learningRate: 3e-6, dropPath: 0 },
  onAnyDevice: true,
  unit: 'step',
  rounds: 3,
  steps: 3,
  layouts: ['default', 'channels_last'],
  targets: { channels_last: 2.5 },

  prepare(settings, startFile) {
    const { channels, layers } = settings;
    const { architecture } = hub.get('darts-v2');
    const space = Space.configure(spaces.get('darts-cnn'), { channels, layers, auxiliary: true });
    const build = () => buildNetwork(space, architecture, imageShape(settings));
    const training = { weightDecay: 3e-4, clip: 5, auxiliaryWeight: 0.4 };
    return classifierStep(build, architecture, settings, training, startFile);
  },
};
