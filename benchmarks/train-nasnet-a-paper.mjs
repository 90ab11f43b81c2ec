/** The step of `train-nasnet-a` with the paper's batches. */
import nasnet from './train-nasnet-a.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  ...nasnet,
  program: 'train-nasnet-a',
  settings: { ...nasnet.settings, batch: 32 },
  steps: 2,
};
