import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('fuzz.mjs', import.meta.url));

function fuzz(...flags: string[]): { faults: string; summary: string } {
  const { stdout, stderr } = spawnSync(process.execPath, [program, ...flags], { encoding: 'utf8' });
  return { faults: stdout, summary: stderr.trimEnd() };
}

// `npm run test:long` draws new cases, like the properties: then nothing sets a seed.
const { seed } = fc.readConfigureGlobal();
const isLong = seed === undefined;

// Processes start slowly on a busy machine.
const timeout = isLong ? 1_800_000 : 240_000;

describe('kernels and entry points, with random arguments', { timeout }, () => {
  const cases = isLong ? 40_000 : 300;
  it(`do what libtorch does, or say what is wrong (${cases} cases)`, () => {
    const own = String(seed ?? Math.floor(Math.random() * 2 ** 31));
    const { faults, summary } = fuzz('--seed', own, '--cases', String(cases));
    expect(faults).toBe('');
    expect(summary).toBe(`${cases} cases of seed ${own}: 0 faults`);
  });
});

describe('the fuzzer', { timeout }, () => {
  it('names a case that ends the process, and goes on', () => {
    const { faults, summary } = fuzz('--names', 'killed', '--cases', '2');
    expect(faults).toMatch(
      /^killed, case 0 of seed 1: ends the process \(SIGKILL\).*^killed, case 1 of seed 1: ends/ms,
    );
    expect(summary).toBe('2 cases of seed 1: 2 faults');
  });

  it('names a case that hangs', () => {
    expect(fuzz('--names', 'hang', '--cases', '1', '--patience', '3').faults).toMatch(
      /^hang, case 0 of seed 1: runs for 3 s/,
    );
  });

  it('names a case whose results are wrong, with its arguments', () => {
    const { faults } = fuzz('--names', 'wrong', '--cases', '1');
    expect(faults).toMatch(
      /^wrong, case 0 of seed 1: output 0\[0\] of float32 \[2\] is 1, by libtorch 2: \{"describe":\{"args":/,
    );
  });
});
