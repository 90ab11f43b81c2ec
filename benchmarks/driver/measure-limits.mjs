/** Prints the limits of the machine as JSON: the best of several tries, with the number of threads given as argument. */
import { randn, scope, setThreads, zeros } from '../../packages/torch/dist/index.js';

setThreads(Number(process.argv[2]));
const size = 2048;
const bytes = 256 * 2 ** 20;

const matrix = randn([size, size]);
const product = fastest(10, () => scope(() => void matrix.mm(matrix)));
const [from, to] = [zeros([bytes / 4], { dtype: 'float32' }), zeros([bytes / 4], { dtype: 'float32' })];
const copy = fastest(20, () => to.copy_(from));
console.log(
  JSON.stringify({
    matrix_product_gflops: (2 * size ** 3) / product / 1e9,
    copy_gb_s: (2 * bytes) / copy / 1e9,
  }),
);

/**
 * The time of the fastest try, in seconds.
 * @param {number} tries
 * @param {() => void} work
 */
function fastest(tries, work) {
  work();
  let best = Number.POSITIVE_INFINITY;
  for (let count = 0; count < tries; count++) {
    const start = performance.now();
    work();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}
