import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { replaceFile, writeFileAtomically } from '../../src/runs/atomic-file.js';
import { createJournal, Journal } from '../../src/runs/journal.js';

const calls = vi.hoisted(() => [] as string[]);

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const noted = (name: 'writeFileSync' | 'fsyncSync' | 'renameSync' | 'ftruncateSync') =>
    ((...values: never[]) => {
      calls.push(name.replace('Sync', ''));
      return (fs[name] as (...values: never[]) => unknown)(...values);
    }) as never;
  return {
    ...fs,
    writeFileSync: noted('writeFileSync'),
    fsyncSync: noted('fsyncSync'),
    renameSync: noted('renameSync'),
    ftruncateSync: noted('ftruncateSync'),
  };
});

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-durability-'));
  calls.length = 0;
  return () => rmSync(folder, { recursive: true });
});

test('a file is on the disk before it has its name, and its name before the call returns', () => {
  writeFileAtomically(join(folder, 'a'), 'text');
  expect(calls).toEqual(['writeFile', 'fsync', 'rename', 'fsync']);
});

test('a file that can be made again has its name when it is whole, and nobody waits for the disk', () => {
  replaceFile(join(folder, 'a'), 'text');
  expect(calls).toEqual(['writeFile', 'rename']);
});

test('an event is on the disk when it is written, one by one', () => {
  const file = join(folder, 'journal.jsonl');
  createJournal(file, { event: 'run' }, {});
  const journal = Journal.open(file, () => {});
  journal.write({ event: 'run' }, {});
  calls.length = 0;
  journal.write({ event: 'a' }, {});
  journal.write({ event: 'b' }, {});
  journal.close();
  expect(calls).toEqual(['writeFile', 'fsync', 'writeFile', 'fsync']);
});
