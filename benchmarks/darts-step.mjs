/**
 * A search step of DARTS (Liu, Simonyan & Yang 2018, algorithm 1, section A.1.1). It updates the architecture parameters
 * with the gradient of the validation loss, and then the weights with that of the training loss. Order 2 uses the
 * validation loss after a step of the weights (equations 7 and 8).
 */
import { Space, spaces } from '../packages/espalier/dist/index.js';
import { buildSupernet } from '../packages/espalier/dist/supernets/build-supernet.js';
import { manualSeed } from '../packages/torch/dist/index.js';
import { prepareSearch } from './driver/darts-search.mjs';
import { imageShape } from './driver/inputs.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: {
    order: 1,
    channels: 16,
    layers: 8,
    batch: 16,
    size: 32,
    classes: 10,
    learningRate: 0.025,
    alphaLearningRate: 3e-4,
  },
  // With this learning rate, the architecture parameters move far enough to affect the losses.
  checked: { learningRate: 3e-4, alphaLearningRate: 0.01 },
  onAnyDevice: true,
  unit: 'step',
  rounds: 5,
  steps: 2,
  layouts: ['default', 'channels_last'],
  targets: { default: 15, channels_last: 5 },

  prepare(settings, startFile) {
    const { channels, layers } = settings;
    manualSeed(1);
    const space = Space.configure(spaces.get('darts-cnn'), { channels, layers });
    return prepareSearch(buildSupernet(space, imageShape(settings)), settings, startFile);
  },
};
