/** The step of `darts-step` at the size of an experiment on a laptop, where the overhead of calls dominates. */
import dartsStep from './darts-step.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  ...dartsStep,
  program: 'darts-step',
  settings: { ...dartsStep.settings, channels: 4, layers: 5, size: 16 },
  rounds: 9,
  steps: 10,
  targets: { channels_last: 10 },
};
