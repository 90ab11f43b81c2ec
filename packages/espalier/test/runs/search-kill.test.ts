import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Random } from '../../src/random/random.js';
import { readJournal } from '../../src/runs/journal.js';
import { withoutClock } from '../../src/runs/journal-event.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { runSearch } from '../../src/runs/search.js';
import { LearningStrategy } from './learning-strategy.js';
import { measure } from './measure.js';
import { temporaryFolder } from './temporary-folder.js';

const ENGINE = fileURLToPath(new URL('./fixtures/engine.mjs', import.meta.url));

const header = (workers: number) => ({ seed: 21, trials: 16, workers });

const journalOf = (folder: RunFolder) => readJournal(folder.journal).events.map(withoutClock);

/** The journal of a search that nobody disturbs, in this process. */
async function undisturbed(workers: number) {
  const folder = RunFolder.create(join(temporaryFolder(), 'run'), header(workers));
  const estimator = {
    estimate: async (request: Parameters<typeof measure>[0]) => measure(request),
    close: async () => {},
  };
  await runSearch({ folder, header: header(workers), strategy: new LearningStrategy(), estimator });
  return journalOf(folder);
}

/** Goes on with a run in a process of its own; `stop` has its say at every line that it prints. */
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

test.each([1, 3])(
  'a search killed at random moments ends with the undisturbed journal, %i at once',
  async (workers) => {
    const folder = RunFolder.create(join(temporaryFolder(), 'run'), header(workers));
    const random = Random.of(workers, 'moments of the kills');
    const expected = await undisturbed(workers);
    let kills = 0;
    for (;;) {
      const after = 1 + random.below(Math.ceil(expected.length / 8));
      const delay = random.below(25);
      let killing = false;
      const { code, signal, errors, last } = await engine(folder, async (events, kill) => {
        if (killing || events < after || kills >= 5) return;
        killing = true;
        await setTimeout(delay);
        kill('SIGKILL');
      });
      const journal = journalOf(folder);
      expect(journal).toEqual(expected.slice(0, journal.length));
      if (signal === null) {
        expect({ code, errors, last }).toEqual({ code: 0, errors: '', last: 'finished' });
        break;
      }
      expect(signal).toBe('SIGKILL');
      kills++;
    }
    expect(journalOf(folder)).toEqual(expected);
    expect(kills).toBe(5);
  },
  // Every life of the search starts processes, and the machine may be busy.
  180_000,
);

test('a search stopped by Ctrl-C saves, leaves in order and goes on from there', async () => {
  const folder = RunFolder.create(join(temporaryFolder(), 'run'), header(3));
  let sent = false;
  const stopped = await engine(folder, (events, kill) => {
    if (sent || events < 9) return;
    sent = true;
    kill('SIGINT');
  });
  expect(stopped).toMatchObject({ code: 0, errors: '', last: 'interrupted' });
  expect(await engine(folder, () => {})).toMatchObject({ code: 0, errors: '', last: 'finished' });
  expect(journalOf(folder)).toEqual(await undisturbed(3));
});
