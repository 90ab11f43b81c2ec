import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Random } from '../../src/random/random.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { header, journalIn, linesIn, run } from './short-search.js';
import { temporaryFolder } from './temporary-folder.js';

const ENGINE = fileURLToPath(new URL('./fixtures/engine.mjs', import.meta.url));

/** Resumes a run in a process of its own. `stop` is called for every line that it prints. */
async function engine(
  folder: RunFolder,
  stop: (events: number, kill: (signal: NodeJS.Signals) => void) => void,
) {
  const child = spawn(process.execPath, [ENGINE, folder.path], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let printed = '';
  let errors = '';
  child.stderr.on('data', (data) => {
    errors += data;
  });
  child.stdout.setEncoding('utf8').on('data', (data: string) => {
    printed += data;
    stop(printed.split('\n').length - 1, (signal) => child.kill(signal));
  });
  const [code, signal] = await once(child, 'close');
  return { code, signal, errors, last: printed.trim().split('\n').at(-1) };
}

/** Kills a run so many times, each after a random event, then lets it end. Calls `check` after each life. */
async function killAndEnd(folder: RunFolder, times: number, check: () => void): Promise<void> {
  const random = Random.of(times, 'moments of the kills');
  let kills = 0;
  for (;;) {
    const after = 1 + random.below(7);
    const delay = random.below(25);
    let killing = false;
    const { code, signal, errors, last } = await engine(folder, async (events, kill) => {
      if (killing || events < after || kills >= times) return;
      killing = true;
      await setTimeout(delay);
      kill('SIGKILL');
    });
    check();
    if (signal === null) {
      expect({ code, errors, last }).toEqual({ code: 0, errors: '', last: 'finished' });
      expect(kills).toBe(times);
      return;
    }
    expect(signal).toBe('SIGKILL');
    kills++;
  }
}

// Every life of a search starts processes, and the machine may be busy.
const TIMEOUT_MS = 180_000;

test.each([
  [1, 3],
  [3, 5],
])(
  'a search with %i workers that is killed %i times ends with the undisturbed journal',
  async (workers, kills) => {
    const folder = RunFolder.create(join(temporaryFolder(), 'run'), header(workers, 16));
    const { journal } = await run({ path: temporaryFolder(), header: header(workers, 16) });
    await killAndEnd(folder, kills, () => {
      const kept = journalIn(folder.path);
      expect(kept).toEqual(journal.slice(0, kept.length));
    });
    expect(journalIn(folder.path)).toEqual(journal);
  },
  TIMEOUT_MS,
);

test(
  'a search that is killed keeps the order in which results arrived, and can be replayed',
  async () => {
    const begun = header(3, 16, 'arrival');
    const folder = RunFolder.create(join(temporaryFolder(), 'run'), begun);
    let kept = linesIn(folder.path);
    await killAndEnd(folder, 3, () => {
      const lines = linesIn(folder.path);
      // A kill may cut the last line, which the next life removes.
      const whole = kept.at(-1)?.endsWith('\n') ? kept : kept.slice(0, -1);
      expect(lines.slice(0, whole.length)).toEqual(whole);
      kept = lines;
    });
    rmSync(folder.snapshot, { force: true });
    const estimate = vi.fn();
    const { status } = await run({ path: folder.path, header: begun, estimator: { estimate } });
    expect(status).toBe('finished');
    expect(estimate).not.toHaveBeenCalled();
    expect(linesIn(folder.path)).toEqual(kept);
  },
  TIMEOUT_MS,
);

test('a search stopped by Ctrl-C takes a snapshot, exits cleanly and can be resumed', async () => {
  const folder = RunFolder.create(join(temporaryFolder(), 'run'), header(3, 16));
  let sent = false;
  const stopped = await engine(folder, (events, kill) => {
    if (sent || events < 9) return;
    sent = true;
    kill('SIGINT');
  });
  expect(stopped).toMatchObject({ code: 0, errors: '', last: 'interrupted' });
  expect(existsSync(folder.snapshot)).toBe(true);
  expect(await engine(folder, () => {})).toMatchObject({ code: 0, errors: '', last: 'finished' });
  const undisturbed = await run({ path: temporaryFolder(), header: header(3, 16) });
  expect(journalIn(folder.path)).toEqual(undisturbed.journal);
});
