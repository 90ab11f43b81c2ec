import { expect, it } from 'vitest';
import { memoryLines } from '../../src/reports/memory-lines.js';

const MIB = 2 ** 20;

it('a line for each device says what a process holds and has held, and what the device has', () => {
  expect(
    memoryLines([
      { device: 'cpu', used: 300 * MIB, peak: 400 * MIB, free: 6 * 1024 * MIB, total: 8 * 1024 * MIB },
      { device: 'cuda:0', used: 512 * MIB, peak: 1024 * MIB, worker: 'node7' },
      { device: 'cuda:0', used: MIB, peak: 2 * MIB, process: 2 },
    ]),
  ).toEqual([
    '  memory of cuda:0, of worker node7: a process holds 512.0 MiB, at most 1.0 GiB',
    '  memory of the machine: a process holds 300.0 MiB, at most 400.0 MiB; 2.0 GiB of 8.0 GiB are taken by all',
    '  memory of cuda:0, process 2: a process holds 1.0 MiB, at most 2.0 MiB',
  ]);
});

it('of many devices those with the highest peaks get lines', () => {
  const devices = Array.from({ length: 10 }, (_, n) => ({ device: `cuda:${n}`, used: 0, peak: n * MIB }));
  const lines = memoryLines(devices);
  expect(lines.length).toBe(9);
  expect(lines[0]).toContain('cuda:9');
  expect(lines.at(-1)).toBe('  and 2 more devices with less');
});
