import type { BatchNorm1d, BatchNorm2d } from '../nn/batch-norm.js';

/** Handles of mean, variance and number of batches of each, which the kernels bring up to date. */
export function runningStatistics(norms: readonly (BatchNorm1d | BatchNorm2d)[]): number[] {
  return norms.flatMap(({ running_mean, running_var, num_batches_tracked }) =>
    running_mean === undefined || running_var === undefined || num_batches_tracked === undefined
      ? []
      : [running_mean.handle, running_var.handle, num_batches_tracked.handle],
  );
}
