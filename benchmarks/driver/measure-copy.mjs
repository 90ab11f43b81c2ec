/** Prints the rate of a copy in GB/s: the best of several tries, with the number of threads given as argument. */
import { setThreads, zeros } from '../../packages/torch/dist/index.js';

setThreads(Number(process.argv[2]));
const bytes = 256 * 2 ** 20;
const [from, to] = [zeros([bytes / 4], { dtype: 'float32' }), zeros([bytes / 4], { dtype: 'float32' })];
let best = Number.POSITIVE_INFINITY;
for (let count = 0; count < 20; count++) {
  const start = performance.now();
  to.copy_(from);
  // The first try also waits for the memory.
  if (count > 0) best = Math.min(best, (performance.now() - start) / 1000);
}
console.log((2 * bytes) / best / 1e9);
