import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveTensors, ones, scope, setThreads, Tensor, tensor, threads } from '../src/index.js';

interface Report {
  losses: number[];
  weights: string;
  liveTensors: number;
  handle: number;
  foreign: number[] | string | null;
}

const program = new URL('programs/train-from-file.mjs', import.meta.url);
const steps = 40;
let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-threads-'));
  file = join(folder, 'weights.safetensors');
  execFileSync(process.execPath, [
    fileURLToPath(new URL('programs/write-weights.mjs', import.meta.url)),
    file,
  ]);
});

afterAll(() => rmSync(folder, { recursive: true }));

function inThread(foreign?: number): Promise<Report> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { workerData: { file, steps, foreign } });
    let report: Report;
    worker.on('message', (message: Report) => {
      report = message;
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(report));
  });
}

async function inProcess(): Promise<Report> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    fileURLToPath(program),
    file,
    String(steps),
  ]);
  return JSON.parse(stdout) as Report;
}

const foreignMessage =
  'the tensor was freed (its scope ended, or free() was called), or belongs to another thread';

describe('worker threads and child processes', () => {
  it('train at the same time and get the same numbers, to the bit', async () => {
    const reports = await Promise.all([inThread(), inThread(), inProcess(), inProcess()]);
    const first = reports[0] as Report;
    expect(first.losses).toHaveLength(steps);
    expect(first.losses.at(-1)).toBeLessThan(first.losses[0] as number);
    for (const report of reports) {
      expect(report.losses).toEqual(first.losses);
      expect(report.weights).toBe(first.weights);
      expect(report.liveTensors).toBe(first.liveTensors);
    }
  });

  it('cannot use each other\u2019s tensors', async () => {
    // Many tensors in each thread, so that both use the same slots.
    const own = Array.from({ length: 64 }, () => ones([1]));
    const before = liveTensors();
    const reports = await Promise.all(own.slice(0, 2).map((each) => inThread(each.handle)));
    for (const report of reports) {
      expect(report.foreign).toBe(foreignMessage);
      expect(() => new Tensor(report.handle).toNumbers()).toThrow(foreignMessage);
    }
    expect(new Set(reports.map((report) => report.handle)).size).toBe(2);
    expect(liveTensors()).toBe(before);
    expect(own.map((each) => each.item())).toEqual(own.map(() => 1));
  });

  it('cannot use the tensors of a thread that has ended, though they get its table', async () => {
    const first = await inThread();
    for (const report of [await inThread(first.handle), await inThread(first.handle)]) {
      expect(report.foreign).toBe(foreignMessage);
      expect(report.handle).not.toBe(first.handle);
    }
  });

  it('are at most 1024 at a time, each with a table of its own', () => {
    const program = fileURLToPath(new URL('programs/open-tables.mjs', import.meta.url));
    const report = JSON.parse(execFileSync(process.execPath, [program, '1100'], { encoding: 'utf8' }));
    expect(report).toEqual({
      opened: 1024,
      accepting: 0,
      error: 'libtorch is loaded in 1024 threads of this process; there is no room for more',
    });
  });

  it('may end in the middle of a step without harming others', async () => {
    const worker = new Worker(program, { workerData: { file, steps: 1e6 } });
    await new Promise((resolve) => worker.once('online', resolve));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await worker.terminate()).toBe(1);
    expect(tensor([1, 2]).add(1).toNumbers()).toEqual([2, 3]);
  });
});

describe('the threads of an operator', () => {
  it('are the number that was set', () => {
    const before = threads();
    setThreads(1);
    expect(threads()).toBe(1);
    setThreads(3);
    expect(threads()).toBe(3);
    setThreads(before);
  });

  it('are an integer from 1 to what a system can have', () => {
    const before = threads();
    for (const count of [0, -1, 1e9, 2 ** 32 + 1])
      expect(() => setThreads(count)).toThrow(`the number of threads is ${count}; allowed: 1 to `);
    for (const count of [1.5, Number.NaN, 1e300, 2 ** 63, Number.NEGATIVE_INFINITY])
      expect(() => setThreads(count)).toThrow('expected an integer, not ');
    expect(threads()).toBe(before);
  });

  it.runIf(process.platform === 'linux')(
    'apply to matrix products too, for which OpenBLAS has threads of its own',
    () => {
      /** The processor time of each thread of this process so far, in ticks. */
      const ticks = () =>
        new Map(
          readdirSync('/proc/self/task').map((id) => {
            const fields =
              readFileSync(`/proc/self/task/${id}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
            return [id, Number(fields[11]) + Number(fields[12])] as const;
          }),
        );
      const before = threads();
      setThreads(1);
      scope(() => {
        const matrix = ones([600, 600]);
        const start = ticks();
        const used = () =>
          [...ticks()].map(([id, time]) => time - (start.get(id) ?? 0)).sort((a, b) => b - a);
        while ((used()[0] as number) < 30) scope(() => matrix.mm(matrix));
        // With two threads, the second would be as busy as the first.
        expect(used()[1]).toBeLessThan(20);
      });
      setThreads(before);
    },
  );
});
