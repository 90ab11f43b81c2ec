import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { InputError } from '../../src/input-error.js';
import type { Json } from '../../src/json.js';
import { ChildPool, type ChildPoolOptions } from '../../src/runs/child-pool.js';
import { temporaryFolder } from './temporary-folder.js';

const WORKER = new URL('./fixtures/pool-worker.mjs', import.meta.url);

/** What the fixture does, by the first answer. */
const OK = 0;
const THROWS = 1;
const UNCAUGHT = 2;
const UNHANDLED = 3;
const ABORTS = 4;
const KILLED = 5;
const HANGS = 6;
const NAN = 7;
const EXITS = 8;
const KILLED_ONCE = 9;
const EXITS_THEN_SEGFAULTS = 10;
const PRINTS = 11;
const DISCONNECTS = 12;
const BUSY = 13;
const SURROUNDINGS = 14;

const workers = (count: number) => Array.from({ length: count }, () => ({ threads: 1 }));

function pool(options: Partial<ChildPoolOptions> = {}): ChildPool {
  const init = { folder: temporaryFolder() };
  const made = new ChildPool({ module: WORKER, init, workers: workers(1), ...options });
  onTestFinished(() => made.close());
  return made;
}

const request = (behaviour: number, trial = 0) => ({ trial, answers: [behaviour], seed: 70 + trial });
const context = (signal = new AbortController().signal) => ({ signal, progress: (_: Json) => {} });

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a pool of workers', () => {
  test('returns what the worker measured, and reports its progress', async () => {
    const said: Json[] = [];
    const outcome = await pool().estimate(request(OK), { ...context(), progress: (json) => said.push(json) });
    expect(outcome).toEqual({ measures: { accuracy: 0.5 }, seed: 70, pid: expect.any(Number) });
    expect(said).toEqual([{ seed: 70 }]);
  });

  test('keeps its workers, and has no more of them than it was given settings', async () => {
    const made = pool({ workers: workers(2) });
    await made.ready();
    const outcomes = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((trial) => made.estimate(request(OK, trial), context())),
    );
    expect(outcomes.map(({ seed }) => seed)).toEqual([70, 71, 72, 73, 74, 75]);
    expect(new Set(outcomes.map(({ pid }) => pid)).size).toBe(2);
  });

  test('gives trials to its workers in the order in which it was given them', async () => {
    const made = pool();
    await made.ready();
    const begun: number[] = [];
    await Promise.all(
      [0, 1, 2, 3, 4].map((trial) =>
        made.estimate(request(OK, trial), { ...context(), progress: () => begun.push(trial) }),
      ),
    );
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  test('starts its workers with the arguments that it was given', async () => {
    const made = pool({ argv: ['--space', 'toy'] });
    const outcome = await made.estimate(request(SURROUNDINGS), context());
    expect(outcome.arguments).toEqual(['--space', 'toy']);
  });

  test('gives each worker its own threads and device, also one that replaces a dead one', async () => {
    const made = pool({ workers: [{ threads: 1, device: 'cuda:0' }, { threads: 2 }] });
    await made.ready();
    const surroundings = async () => {
      const outcomes = await Promise.all(
        [0, 1].map((trial) => made.estimate(request(SURROUNDINGS, trial), context())),
      );
      return outcomes
        .map(({ settings, threads, pid }) => ({ settings, threads, pid: pid as number }))
        .sort((a, b) => Number(a.threads) - Number(b.threads));
    };
    const expected = [
      { settings: { threads: 1, device: 'cuda:0' }, threads: '1', pid: expect.any(Number) },
      { settings: { threads: 2 }, threads: '2', pid: expect.any(Number) },
    ];
    const before = await surroundings();
    expect(before).toEqual(expected);
    for (const { pid } of before) process.kill(pid, 'SIGKILL');
    while (before.some(({ pid }) => isRunning(pid))) await setTimeout(5);
    // Both workers of the next trials die over them, and are replaced twice.
    await Promise.all([2, 3].map((trial) => made.estimate(request(KILLED, trial), context())));
    const after = await surroundings();
    expect(after).toEqual(expected);
    expect(after.every(({ pid }) => before.every((dead) => dead.pid !== pid))).toBe(true);
  });

  test('lets a NaN through as it is', async () => {
    expect(await pool().estimate(request(NAN), context())).toEqual({ measures: { accuracy: Number.NaN } });
  });

  test.each([
    [THROWS, 'no such layer'],
    [UNCAUGHT, 'thrown where nobody listens'],
    [UNHANDLED, 'rejected where nobody listens'],
    [ABORTS, 'killed by SIGABRT (twice)'],
    [KILLED, 'killed by SIGKILL (twice); the system kills in this way when memory runs out'],
    [EXITS, 'exited with code 3 (twice)'],
    [EXITS_THEN_SEGFAULTS, 'exited with code 7, then killed by SIGSEGV'],
    [DISCONNECTS, 'killed by SIGKILL (twice); the system kills in this way when memory runs out'],
  ])('makes a failed trial of behaviour %i, and is ready for the next', async (behaviour, reason) => {
    const made = pool();
    expect(await made.estimate(request(behaviour), context())).toMatchObject({ status: 'failed', reason });
    expect(await made.estimate(request(OK, 1), context())).toMatchObject({
      measures: { accuracy: 0.5 },
      seed: 71,
    });
  });

  test('reports what a dead worker wrote last, apart from the reason', async () => {
    const outcome = await pool().estimate(request(ABORTS), context());
    expect(outcome.reason).toBe('killed by SIGABRT (twice)');
    expect(outcome.clock).toEqual({ output: expect.stringMatching(/what\(\): bad tensor\n/) });
  });

  test('repeats a trial once if its worker was killed', async () => {
    expect(await pool().estimate(request(KILLED_ONCE), context())).toMatchObject({
      measures: { accuracy: 0.5 },
      seed: 70,
    });
  });

  test('replaces a worker that was killed between two trials', async () => {
    const made = pool();
    const { pid } = await made.estimate(request(OK), context());
    process.kill(pid as number, 'SIGKILL');
    const after = await made.estimate(request(OK, 1), context());
    expect(after).toMatchObject({ measures: { accuracy: 0.5 }, seed: 71 });
    expect(after.pid).not.toBe(pid);
  });

  test('leaves Ctrl-C to the search, although a terminal sends it to the workers too', async () => {
    const made = pool();
    const { pid } = await made.estimate(request(OK), context());
    process.kill(pid as number, 'SIGINT');
    expect(await made.estimate(request(OK, 1), context())).toMatchObject({
      measures: { accuracy: 0.5 },
      pid,
    });
  });

  test('kills a trial that takes too long, and does not repeat it', async () => {
    const folder = temporaryFolder();
    const made = pool({ timeoutSeconds: 0.3, init: { folder } });
    expect(await made.estimate(request(HANGS), context())).toEqual({
      status: 'failed',
      reason: 'timed out after 0.3 s',
    });
    expect(await made.estimate(request(BUSY, 3), context())).toMatchObject({
      reason: 'timed out after 0.3 s',
    });
    expect(isRunning(Number(readFileSync(join(folder, 'busy-3'), 'utf8')))).toBe(false);
    expect(await made.estimate(request(OK, 1), context())).toMatchObject({ measures: { accuracy: 0.5 } });
  });

  test('without a timeout ends a trial that takes much longer than the others, and began before them', async () => {
    const made = pool({ workers: workers(2), hang: { factor: 2, leastSeconds: 0.2, after: 2 } });
    const hanging = made.estimate(request(HANGS), context());
    for (const trial of [1, 2]) await made.estimate(request(OK, trial), context());
    expect(await hanging).toEqual({
      status: 'failed',
      reason:
        'hung: it took 2 times as long as the others do at the median; --timeout sets a limit of its own',
    });
  });

  test('stops a trial when told to, and is ready for the next', async () => {
    const folder = temporaryFolder();
    const made = pool({ init: { folder } });
    const stop = new AbortController();
    const estimate = made.estimate(request(BUSY), context(stop.signal));
    while (!existsSync(join(folder, 'busy-0'))) await setTimeout(10);
    stop.abort(new Error('enough'));
    await expect(estimate).rejects.toThrow('enough');
    expect(await made.estimate(request(OK, 1), context())).toMatchObject({ measures: { accuracy: 0.5 } });
  });

  test('keeps the output of workers away from stdout', async () => {
    const code = `
      import { createJiti } from 'jiti';
      const jiti = createJiti(${JSON.stringify(import.meta.url)});
      const { ChildPool } = await jiti.import('../../src/runs/child-pool.ts');
      const pool = new ChildPool({ module: new URL(${JSON.stringify(WORKER.href)}), init: {}, workers: [{ threads: 1 }] });
      const context = { signal: new AbortController().signal, progress() {} };
      const outcome = await pool.estimate({ trial: 0, answers: [${PRINTS}], seed: 1 }, context);
      await pool.close();
      console.log(JSON.stringify(outcome.measures));`;
    const engine = spawn(process.execPath, ['--input-type=module', '-e', code], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    engine.stdout.on('data', (data) => {
      printed += data;
    });
    await once(engine, 'close');
    expect(printed).toBe('{"accuracy":0.5}\n');
  });
});

describe('a pool that starts', () => {
  test('passes on what a worker finds wrong with the input of the user', async () => {
    const made = pool({ init: { refuse: 'nowhere' } });
    await expect(made.ready()).rejects.toThrow(new InputError('data: nowhere is no folder'));
  });

  test('says how a worker that could not start ended', async () => {
    await expect(pool({ init: { exit: 4 } }).ready()).rejects.toThrow(
      new Error('a worker could not start: exited with code 4'),
    );
    await expect(pool({ module: new URL('./fixtures/none.mjs', import.meta.url) }).ready()).rejects.toThrow(
      /a worker could not start: exited with code 1\n(.*\n)*.*Cannot find module/,
    );
  });
});

describe('a pool that ends', () => {
  test('leaves no process behind, whatever the workers are doing', async () => {
    const folder = temporaryFolder();
    const made = pool({ workers: workers(2), init: { folder } });
    const { pid } = await made.estimate(request(OK), context());
    const busy = [1, 2].map((trial) => made.estimate(request(BUSY, trial), context()));
    const ends = Promise.allSettled(busy);
    while (![1, 2].every((trial) => existsSync(join(folder, `busy-${trial}`)))) await setTimeout(10);
    const pids = [1, 2].map((trial) => Number(readFileSync(join(folder, `busy-${trial}`), 'utf8')));
    expect([...pids, pid as number].filter(isRunning)).not.toEqual([]);
    await made.close();
    expect([...pids, pid as number].filter(isRunning)).toEqual([]);
    for (const { status, reason } of (await ends) as PromiseRejectedResult[]) {
      expect(status).toBe('rejected');
      expect(reason).toEqual(new Error('the pool of workers is closed'));
    }
    await expect(made.estimate(request(OK), context())).rejects.toThrow('the pool of workers is closed');
  });

  test('with its own process ends its workers, idle or busy', async () => {
    const folder = temporaryFolder();
    const code = `
      import { createJiti } from 'jiti';
      const jiti = createJiti(${JSON.stringify(import.meta.url)});
      const { ChildPool } = await jiti.import('../../src/runs/child-pool.ts');
      const init = { folder: ${JSON.stringify(folder)} };
      const pool = new ChildPool({ module: new URL(${JSON.stringify(WORKER.href)}), init, workers: [{ threads: 1 }, { threads: 1 }] });
      const context = { signal: new AbortController().signal, progress() {} };
      await pool.ready();
      pool.estimate({ trial: 0, answers: [${BUSY}], seed: 1 }, context);
      console.log((await pool.estimate({ trial: 1, answers: [${OK}], seed: 1 }, context)).pid);`;
    const engine = spawn(process.execPath, ['--input-type=module', '-e', code], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [idle] = await once(engine.stdout, 'data');
    while (!existsSync(join(folder, 'busy-0'))) await setTimeout(10);
    const pids = [Number(idle), Number(readFileSync(join(folder, 'busy-0'), 'utf8'))];
    expect(pids.every(isRunning)).toBe(true);
    engine.kill('SIGKILL');
    await once(engine, 'exit');
    // Nobody reaps them where this runs without an init: then a zombie's pid would stay.
    const works = (pid: number) => isRunning(pid) && !/\) Z /.test(readStat(pid));
    while (pids.some(works)) await setTimeout(20);
  });
});

function readStat(pid: number): string {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
