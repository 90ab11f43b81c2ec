import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @typedef {{ matrix_product_gflops: number, copy_gb_s: number }} Limits */

/**
 * Measures the limits of this machine with the same libtorch: the rate of a large float32 matrix product, and the rate of a
 * copy larger than the caches (bytes read plus bytes written).
 * @param {number} threads
 * @returns {Limits}
 */
export function measureLimits(threads) {
  const program = fileURLToPath(new URL('measure-limits.mjs', import.meta.url));
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
  return JSON.parse(execFileSync(process.execPath, [program, String(threads)], { encoding: 'utf8', env }));
}
