/** The step of `train-nasnet-a` with the batch size of the paper. */
import nasnet from './train-nasnet-a.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  ...nasnet,
  program: 'train-nasnet-a',
  settings: { ...nasnet.settings, batch: 32 },
  steps: 2,
};
