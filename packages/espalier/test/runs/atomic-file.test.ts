import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { naming, replaceFile, temporaryOf, writeFileAtomically } from '../../src/runs/atomic-file.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { temporaryFolder } from './temporary-folder.js';

/** Whatever is written there finds no space. */
const FULL = '/dev/full';

const thrownBy = (act: () => unknown): NodeJS.ErrnoException => {
  try {
    act();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error('nothing was thrown');
};

test.each([
  ['replaced', replaceFile],
  ['written', writeFileAtomically],
])('a file that is %s on a full disk keeps its text, and is named', (_, write) => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.txt');
  writeFileSync(file, 'old');
  symlinkSync(FULL, temporaryOf(file));
  const { code, path } = thrownBy(() => write(file, 'new'));
  expect([code, path]).toEqual(['ENOSPC', file]);
  expect(readdirSync(folder)).toEqual(['a.txt']);
  expect(readFileSync(file, 'utf8')).toBe('old');
  write(file, 'new');
  expect(readFileSync(file, 'utf8')).toBe('new');
});

test('a run that finds no space leaves nothing', () => {
  const folder = temporaryFolder();
  symlinkSync(FULL, temporaryOf(join(folder, 'journal.jsonl')));
  const header = {
    seed: 1,
    trials: 1,
    workers: 1,
    order: 'arrival',
    objectives: [{ name: 'a', better: 'higher' }],
  };
  expect(() => RunFolder.create(folder, header as never)).toThrow(
    `${folder}: no run can be written here: ENOSPC: no space left on device, write`,
  );
  expect(readdirSync(folder)).toEqual([]);
});

test('an error of something else does not get the name of the file', () => {
  const thrown = (error: unknown) =>
    thrownBy(() =>
      naming('a.txt', () => {
        throw error;
      }),
    ) as unknown;
  expect(thrown(new TypeError('of a program'))).not.toHaveProperty('path');
  expect(thrown('a text')).toBe('a text');
  const coded = { code: 'of no Error' };
  expect(thrown(coded)).toBe(coded);
  expect(coded).not.toHaveProperty('path');
});
