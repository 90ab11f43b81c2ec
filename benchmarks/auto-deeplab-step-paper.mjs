/** The step of `auto-deeplab-step` in the paper's own setting: 12 layers and crops of 321x321 (section 5.1). */
import search from './auto-deeplab-step.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  ...search,
  program: 'auto-deeplab-step',
  settings: { ...search.settings, layers: 12, size: 321 },
  // The losses are compared on the network of the other benchmark: three more steps of this one take PyTorch many minutes.
  checked: { ...search.checked, layers: search.settings.layers, size: search.settings.size },
  rounds: 1,
  steps: 1,
  layouts: ['channels_last'],
  targets: { channels_last: 3 },
};
