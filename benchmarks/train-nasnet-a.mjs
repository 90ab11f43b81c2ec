/**
 * A training step of NASNet-A (6 @ 768) on CIFAR-10 (Zoph et al. 2018), with an auxiliary head of weight 0.4, and drop path
 * with the probability reached halfway through the training. The paper uses batches of 32.
 */
import { hub } from '../packages/espalier/dist/hub/hub.js';
import { buildNetwork, Space, spaces } from '../packages/espalier/dist/index.js';
import { classifierStep } from './driver/classifier-step.mjs';
import { imageShape } from './driver/inputs.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: {
    cells: 6,
    filters: 768,
    batch: 16,
    size: 32,
    classes: 10,
    learningRate: 0.025,
    dropPath: 0.2,
  },
  checked: { learningRate: 3e-6, dropPath: 0 },
  onAnyDevice: true,
  unit: 'step',
  rounds: 3,
  steps: 4,
  layouts: ['default', 'channels_last'],
  targets: { channels_last: 2.5 },

  prepare(settings, startFile) {
    const { cells, filters } = settings;
    const { architecture, options } = hub.get('nasnet-a');
    const space = Space.configure(spaces.get('nasnet'), { ...options, cells, filters, auxiliary: true });
    const build = () => buildNetwork(space, architecture, imageShape(settings));
    const training = { weightDecay: 5e-4, clip: 5, auxiliaryWeight: 0.4 };
    return classifierStep(build, architecture, settings, training, startFile);
  },
};
