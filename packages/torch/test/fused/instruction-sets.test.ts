import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { worst } from './comparison.js';

const program = fileURLToPath(new URL('../programs/fused-values.mjs', import.meta.url));

function run(set: string): { set: string; values: number[] } {
  const env = { ...process.env, ESPALIER_CPU: set };
  return JSON.parse(execFileSync(process.execPath, [program], { env, encoding: 'utf8' }));
}

describe('the kernels', () => {
  it('give the same values with every instruction set of this machine', () => {
    const baseline = run('baseline');
    expect(baseline.set).toBe('baseline');
    const env = { ...process.env };
    delete env.ESPALIER_CPU;
    const best = JSON.parse(execFileSync(process.execPath, [program], { env, encoding: 'utf8' }));
    // A machine has all sets older than its best.
    const sets = ['baseline', 'avx2', 'avx512'];
    for (const set of sets.slice(1, sets.indexOf(best.set) + 1)) {
      const other = run(set);
      expect(other.set).toBe(set);
      expect(worst(other.values, baseline.values)).toBeLessThan(1e-5);
    }
    expect(worst(best.values, baseline.values)).toBeLessThan(1e-5);
  });

  it('list the instruction sets of this machine when asked for another', () => {
    const { status, stderr } = spawnSync(process.execPath, [program], {
      env: { ...process.env, ESPALIER_CPU: 'sse9' },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/ESPALIER_CPU is 'sse9'; allowed on this machine: .*baseline/);
  });
});
