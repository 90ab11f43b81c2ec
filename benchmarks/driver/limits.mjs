import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {{ multiply_add_gflops: number, copy_gb_s: number }} Limits */

const beside = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Measures the limits of this machine: the rate of float32 multiply-adds in registers, which no BLAS changes, and the rate of
 * a copy larger than the caches (bytes read plus bytes written). Needs g++.
 * @param {number} threads
 * @returns {Limits}
 */
export function measureLimits(threads) {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
  const run = (/** @type {string} */ command, /** @type {string[]} */ args) =>
    Number(execFileSync(command, args, { encoding: 'utf8', env }));
  const folder = mkdtempSync(join(tmpdir(), 'espalier-limits-'));
  try {
    const program = join(folder, 'multiply-adds');
    const flags = ['-O3', '-march=native', '-std=c++17', '-pthread'];
    execFileSync('g++', [...flags, beside('multiply-adds.cc'), '-o', program], { stdio: 'inherit' });
    return {
      multiply_add_gflops: run(program, [String(threads)]),
      copy_gb_s: run(process.execPath, [beside('measure-copy.mjs'), String(threads)]),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
