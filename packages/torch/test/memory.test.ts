import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

it('10,000 training steps of a small convolutional network grow the process by less than 20 MB', {
  timeout: 240_000,
}, () => {
  const program = fileURLToPath(new URL('programs/measure-growth.mjs', import.meta.url));
  const report = JSON.parse(
    execFileSync(process.execPath, [program, '500', '10000'], { encoding: 'utf8' }),
  ) as {
    grownBytes: number;
    grownTensors: number;
    counts: number[];
  };
  expect(report.grownBytes).toBeLessThan(20e6);
  expect(report.grownTensors).toBe(0);
  expect(report.counts).toHaveLength(1);
});
