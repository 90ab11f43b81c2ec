import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { readJournal } from '../../src/runs/journal.js';
import type { RunHeader } from '../../src/runs/journal-event.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { acquireLock } from '../../src/runs/run-lock.js';
import { RunState } from '../../src/runs/run-state.js';
import { temporaryFolder } from './temporary-folder.js';

const HEADER: RunHeader = {
  seed: 1,
  trials: 5,
  workers: 2,
  order: 'arrival',
  objectives: [{ name: 'reward', better: 'higher' }],
  space: { name: 'zoph-cnn', layers: 4 },
};

describe('a run folder', () => {
  test('is made along with its parents, with a journal of one line and a manifest', () => {
    const path = join(temporaryFolder(), 'runs', 'first');
    const { journal } = RunFolder.create(path, HEADER);
    expect(readdirSync(path).sort()).toEqual(['journal.jsonl', 'manifest.json']);
    expect(readFileSync(journal, 'utf8')).toMatch(
      /^\{"event":"run","seed":1,"trials":5,"workers":2,"order":"arrival","objectives":\[\{"name":"reward","better":"higher"\}\],"space":\{"name":"zoph-cnn","layers":4\},"clock":\{.*\}\}\n$/,
    );
    expect(RunState.of(readJournal(journal).events, journal).header).toEqual(HEADER);
  });

  test('says in the clock of its first line when, where and by what it was begun', () => {
    const { journal } = RunFolder.create(join(temporaryFolder(), 'run'), HEADER);
    const clock = readJournal(journal).events[0]?.clock;
    expect(Date.now() - Date.parse(String(clock?.time))).toBeLessThan(60_000);
    expect(clock).toEqual({
      time: expect.any(String),
      host: hostname(),
      pid: process.pid,
      cwd: process.cwd(),
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
    });
  });

  test('may exist if it is empty, or if the process that made it was killed', () => {
    const path = temporaryFolder();
    writeFileSync(join(path, 'journal.jsonl.tmp'), '{"event":"ru');
    writeFileSync(join(path, 'lock-1-abc'), '');
    RunFolder.create(path, HEADER);
    expect(readdirSync(path)).toContain('journal.jsonl');
    expect(readdirSync(path)).not.toContain('journal.jsonl.tmp');
  });

  test('does not replace another run, which stays unchanged', () => {
    const path = temporaryFolder();
    const { journal } = RunFolder.create(path, HEADER);
    const before = readFileSync(journal, 'utf8');
    expect(() => RunFolder.create(path, { ...HEADER, seed: 2 })).toThrow(
      new InputError(`${path}: a run is in this folder already; resume it or name another folder`),
    );
    expect(readFileSync(journal, 'utf8')).toBe(before);
    expect(readdirSync(path).sort()).toEqual(['journal.jsonl', 'manifest.json']);
  });

  test('is not made among other files, in place of a file, or while another process makes it', () => {
    const path = temporaryFolder();
    writeFileSync(join(path, 'thesis.tex'), 'x');
    expect(() => RunFolder.create(path, HEADER)).toThrow(
      new InputError(`${path}: the folder isn't empty (thesis.tex); a new run needs a folder of its own`),
    );
    expect(() => RunFolder.create(join(path, 'thesis.tex'), HEADER)).toThrow(InputError);
    expect(readdirSync(path)).toEqual(['thesis.tex']);
    const taken = join(path, 'taken');
    mkdirSync(taken);
    const lock = acquireLock(taken);
    expect(() => RunFolder.create(taken, HEADER)).toThrow(/is at work on this run/);
    lock.release();
    expect(readdirSync(taken)).toEqual([]);
  });

  test('that is taken is refused before the run is prepared, and one that is not is not made', () => {
    const path = temporaryFolder();
    RunFolder.requireFree(path);
    RunFolder.requireFree(join(path, 'new'));
    expect(readdirSync(path)).toEqual([]);
    writeFileSync(join(path, 'thesis.tex'), 'x');
    expect(() => RunFolder.requireFree(path)).toThrow(
      new InputError(`${path}: the folder isn't empty (thesis.tex); a new run needs a folder of its own`),
    );
    // Making it says what is wrong with it.
    RunFolder.requireFree(join(path, 'thesis.tex'));
  });

  test('can be opened only if it holds a run', () => {
    const path = temporaryFolder();
    expect(() => RunFolder.open(join(path, 'none'))).toThrow(
      new InputError(`${join(path, 'none')}: no such folder; a run folder was expected`),
    );
    expect(() => RunFolder.open(path)).toThrow(
      new InputError(`${path}: not a run folder: it has no journal.jsonl`),
    );
    writeFileSync(join(path, 'file'), '');
    expect(() => RunFolder.open(join(path, 'file'))).toThrow(
      new InputError(`${join(path, 'file')}: not a folder; a run folder was expected`),
    );
    RunFolder.create(join(path, 'run'), HEADER);
    const folder = RunFolder.open(join(path, 'run'));
    expect(folder.journal).toBe(join(path, 'run', 'journal.jsonl'));
    expect(folder.snapshot).toBe(join(path, 'run', 'snapshot.json'));
    expect(folder.trial(7)).toBe(join(path, 'run', 'trials', '7'));
  });
});
