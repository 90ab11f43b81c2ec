/** The step of `darts-step` with the second-order gradient. */
import dartsStep from './darts-step.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  ...dartsStep,
  program: 'darts-step',
  settings: { ...dartsStep.settings, order: 2 },
  rounds: 3,
  targets: {},
};
