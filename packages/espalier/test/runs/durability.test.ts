import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
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

test('a file is on the disk before it gets its name, and its name before the call returns', () => {
  writeFileAtomically(join(folder, 'a'), 'text');
  expect(calls).toEqual(['writeFile', 'fsync', 'rename', 'fsync']);
});

test('a file that can be made again gets its name when it is whole, without waiting for the disk', () => {
  replaceFile(join(folder, 'a'), 'text');
  expect(calls).toEqual(['writeFile', 'rename']);
});

/** An open journal with one line. The clock stands still from here on. */
function openJournal(): Journal {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const file = join(folder, 'journal.jsonl');
  createJournal(file, { event: 'run' }, {});
  const journal = Journal.open(file, () => {});
  calls.length = 0;
  journal.write({ event: 'run' }, {});
  // This line was there already.
  expect(calls).toEqual([]);
  return journal;
}

test('an event is written at once and is on the disk after 100 ms, with those written meanwhile', () => {
  const journal = openJournal();
  const text = () =>
    readFileSync(join(folder, 'journal.jsonl'), 'utf8')
      .match(/"event":"\w+"/g)
      ?.join();
  journal.write({ event: 'a' }, {});
  expect(text()).toBe('"event":"run","event":"a"');
  vi.advanceTimersByTime(60);
  journal.write({ event: 'b' }, {});
  expect(text()).toBe('"event":"run","event":"a","event":"b"');
  vi.advanceTimersByTime(39);
  expect(calls).toEqual(['writeFile', 'writeFile']);
  vi.advanceTimersByTime(1);
  expect(calls).toEqual(['writeFile', 'writeFile', 'fsync']);
  // Nothing new, nothing to wait for.
  vi.advanceTimersByTime(1000);
  expect(calls).toHaveLength(3);
  // The last time was long ago.
  journal.write({ event: 'c' }, {});
  vi.advanceTimersByTime(100);
  expect(calls.slice(3)).toEqual(['writeFile', 'fsync']);
  journal.close();
  expect(calls).toHaveLength(5);
});

test('an event is on the disk when its journal is closed, and a closed journal has nothing left to do', () => {
  const journal = openJournal();
  journal.write({ event: 'a' }, {});
  journal.write({ event: 'b' }, {});
  journal.close();
  expect(calls).toEqual(['writeFile', 'writeFile', 'fsync']);
  vi.advanceTimersByTime(1000);
  expect(calls).toHaveLength(3);
});
