/**
 * A search step of first-order DARTS on the supernet of NAS-Bench-201, with its authors' settings (Dong & Yang 2020, section
 * 5: C = 16, N = 5, batch 64).
 */
import { Space, spaces } from '../packages/espalier/dist/index.js';
import { buildSupernet } from '../packages/espalier/dist/supernets/build-supernet.js';
import { manualSeed } from '../packages/torch/dist/index.js';
import { prepareSearch } from './driver/darts-search.mjs';
import { imageShape } from './driver/inputs.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: {
    channels: 16,
    cells: 5,
    batch: 64,
    size: 32,
    classes: 10,
    learningRate: 0.025,
    alphaLearningRate: 3e-4,
  },
  // Adam's first step is as large for tiny gradients, whose signs differ by rounding, so it must be short.
  checked: { learningRate: 3e-4, alphaLearningRate: 1e-3 },
  onAnyDevice: true,
  unit: 'step',
  rounds: 5,
  steps: 2,
  layouts: ['default', 'channels_last'],
  targets: { channels_last: 4 },

  prepare(settings, startFile) {
    const { channels, cells } = settings;
    manualSeed(1);
    const space = Space.configure(spaces.get('nasbench201'), { channels, cells });
    return prepareSearch(buildSupernet(space, imageShape(settings)), settings, startFile);
  },
};
