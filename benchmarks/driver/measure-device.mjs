/** Prints the limits of a GPU as JSON: the best of several tries. Argument: the device. */
import { randn, scope, zeros } from '../../packages/torch/dist/index.js';

const device = process.argv[2];
const size = 8192;
const bytes = 1024 * 2 ** 20;

const matrix = randn([size, size], { device });
const product = fastest(10, () => scope(() => void matrix.mm(matrix)));
const [from, to] = [0, 1].map(() => zeros([bytes / 4], { dtype: 'float32', device }));
const copy = fastest(20, () => to.copy_(from));
console.log(
  JSON.stringify({
    multiply_add_gflops: (2 * size ** 3) / product / 1e9,
    copy_gb_s: (2 * bytes) / copy / 1e9,
  }),
);

/**
 * The time of the fastest try, in seconds.
 * @param {number} tries
 * @param {() => void} work
 */
function fastest(tries, work) {
  // A GPU computes in order, so a value that is read waits for everything before it.
  const wait = () => scope(() => zeros([1], { device }).item());
  work();
  wait();
  let best = Number.POSITIVE_INFINITY;
  for (let count = 0; count < tries; count++) {
    const start = performance.now();
    work();
    wait();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}
