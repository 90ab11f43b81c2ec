import { requireFreeMemory } from '../networks/required-memory.js';
import { ChildPool } from './child-pool.js';
import type { TrialPoolOptions } from './trial-pool.js';

/** Memory of a process with libtorch, in bytes: more than half of what was measured. */
const LEAST_WORKER = 100 * 2 ** 20;

/** Children are trained in processes of this machine. @throws InputError for more of them than its memory holds */
export const openLocalPool = (options: TrialPoolOptions): ChildPool => {
  const { length } = options.workers;
  requireFreeMemory(length * LEAST_WORKER, `workers ${length}: their processes`, 'choose fewer workers');
  return new ChildPool(options);
};
