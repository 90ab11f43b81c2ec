import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupProblem } from '../../packages/torch/scripts/setup-problem.mjs';

/** @typedef {{ multiply_add_gflops: number, copy_gb_s: number }} Limits */

const beside = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Measures the limits of this machine: the rate of float32 multiply-adds in registers, which no BLAS changes, and the rate of
 * a copy larger than the caches (bytes read plus bytes written). Needs g++.
 * @param {number} threads
 * @param {string} device
 * @returns {Limits}
 * @throws {SetupProblem} for a device that is not there
 */
export function measureLimits(threads, device) {
  if (device !== 'cpu') return limitsOf(device);
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

/**
 * Of a GPU: a large matrix product stands for its multiply-adds.
 * @param {string} device
 * @returns {Limits}
 */
function limitsOf(device) {
  const args = [beside('measure-device.mjs'), device];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status === 0) return JSON.parse(stdout);
  throw new SetupProblem(`--device ${device}: ${/Error: .*/.exec(stderr)?.[0].slice(0, 200)}`, 2);
}
