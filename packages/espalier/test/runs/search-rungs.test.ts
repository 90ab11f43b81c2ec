import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { EstimateRequest, Estimator } from '../../src/runs/estimator.js';
import { readJournal } from '../../src/runs/journal.js';
import { withoutClock } from '../../src/runs/journal-event.js';
import type { Outcome } from '../../src/runs/outcome.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { runSearch } from '../../src/runs/search.js';
import { Space } from '../../src/space/space.js';
import { asha } from '../../src/strategies/asha.js';
import { hyperband } from '../../src/strategies/hyperband.js';
import type { Strategy } from '../../src/strategies/strategy.js';
import { branching } from '../space/tiny-spaces.js';
import { temporaryFolder } from './temporary-folder.js';

// Hundreds of runs that are cut or killed, but never by a power failure: the disk need not be waited for.
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  fsyncSync: () => {},
}));

const space = Space.configure(branching);
const header = (workers: number) => ({ seed: 11, trials: 99, workers });
const rungs = { minEpochs: 1, maxEpochs: 4, eta: 2 };
const strategies: Record<string, () => Strategy> = {
  asha: () => asha.create({ space, seed: 4, options: { ...rungs, configurations: 9, mispromotions: false } }),
  hyperband: () => hyperband.create({ space, seed: 4, options: rungs }),
};

/** Depends on the seed of the child and its epochs; some fail. */
function measure({ seed, epochs = 0 }: EstimateRequest): Outcome {
  const value = (seed * 7 + epochs * 13) % 101;
  return value % 11 === 0
    ? { status: 'failed', reason: `diverged at ${value}` }
    : { status: 'ok', accuracy: value / 101 };
}

type Estimate = Estimator['estimate'];

async function run(
  path: string,
  workers: number,
  strategy: Strategy,
  estimate: Estimate = async (request) => measure(request),
) {
  const folder = existsSync(join(path, 'journal.jsonl'))
    ? RunFolder.open(path)
    : RunFolder.create(path, header(workers));
  const estimator = { estimate, close: async () => {} };
  const { status } = await runSearch({
    folder,
    header: header(workers),
    strategy,
    estimator,
    snapshotEvery: 3,
  });
  expect(status).toBe('finished');
  return readJournal(folder.journal).events.map(withoutClock);
}

/** `?2(1>4)` trial 2 goes on with trial 1 up to 4 epochs, `!2` its result. */
const order = (journal: readonly { event: string; [key: string]: unknown }[]) =>
  journal
    .flatMap(({ event, trial, epochs, continues }) => {
      if (event === 'result') return [`!${trial}`];
      if (event !== 'trial') return [];
      return [`?${trial}(${continues === undefined ? '' : `${continues}>`}${epochs})`];
    })
    .join(' ');

describe('a search that trains some children longer', () => {
  test('tells results in the order in which they would come if all epochs took equally long', async () => {
    const epochs = [3, 1, 1, 2];
    let asked = 0;
    const strategy: Strategy = {
      name: 'lengths',
      ask: () => (asked < 4 ? { answers: [0], epochs: epochs[asked++] as number } : undefined),
      tell: () => [],
      snapshot: () => ({ json: null, tensors: new Map() }),
      restore: () => {},
    };
    // Trial 1 ends at 1, trial 2 at 2, trial 0 at 3, trial 3 at 4.
    expect(order(await run(temporaryFolder(), 2, strategy))).toBe('?0(3) ?1(1) !1 ?2(1) !2 ?3(2) !0 !3');
  });

  test('gives a training that goes on the answers, the seed and the file of the one before', async () => {
    const path = temporaryFolder();
    const requests: EstimateRequest[] = [];
    const journal = await run(path, 1, strategies.asha!(), async (request) => {
      requests.push(request);
      return { status: 'ok', accuracy: 0.5 };
    });
    // Of equal ones the first is promoted; with nine of eta = 2 four go on, and two of these.
    expect(order(journal)).toBe(
      '?0(1) !0 ?1(1) !1 ?2(0>2) !2 ?3(1) !3 ?4(1) !4 ?5(1>2) !5 ?6(2>4) !6 ?7(1) !7 ?8(1) !8 ?9(3>2) !9 ' +
        '?10(1) !10 ?11(1) !11 ?12(4>2) !12 ?13(5>4) !13 ?14(1) !14',
    );
    const file = (trial: number) => join(path, 'trials', String(trial), 'checkpoint.safetensors');
    const { answers, seed } = requests[0] as EstimateRequest;
    expect(requests[0]).toEqual({ trial: 0, answers, epochs: 1, seed, checkpoints: { save: file(0) } });
    expect(requests[6]).toEqual({
      trial: 6,
      answers,
      epochs: 4,
      continues: 2,
      seed,
      checkpoints: { save: file(6), load: file(2) },
    });
    expect(journal.filter(({ trial }) => trial === 6)).toEqual([
      { event: 'trial', trial: 6, answers, epochs: 4, continues: 2, seed },
      { event: 'result', trial: 6, status: 'ok', accuracy: 0.5 },
    ]);
  });

  test('keeps the file of a training until the one that goes on has its result, and none in the end', async () => {
    const path = temporaryFolder();
    const saved: string[] = [];
    await run(path, 1, strategies.asha!(), async (request) => {
      const { save, load } = request.checkpoints!;
      if (load !== undefined) expect(existsSync(load)).toBe(true);
      saved.push(save);
      mkdirSync(dirname(save), { recursive: true });
      writeFileSync(save, '');
      // Trial 2 went on with trial 0.
      if (request.trial === 3)
        expect(saved.map((file) => existsSync(file))).toEqual([false, true, true, true]);
      return { status: 'ok', accuracy: 0.5 };
    });
    expect(saved).toHaveLength(15);
    expect(saved.filter((file) => existsSync(file))).toEqual([]);
  });

  test.each(Object.entries(strategies))(
    'by %s has the same journal whatever the order in which results come in',
    async (_, create) => {
      for (const workers of [2, 5]) {
        const undisturbed = await run(temporaryFolder(), workers, create());
        await fc.assert(
          fc.asyncProperty(fc.scheduler(), async (scheduler) => {
            const path = join(temporaryFolder(), 'run');
            const ended = run(path, workers, create(), (request) =>
              scheduler.schedule(Promise.resolve(measure(request))),
            );
            expect(await scheduler.waitFor(ended)).toEqual(undisturbed);
            rmSync(path, { recursive: true });
          }),
          { numRuns: 10 },
        );
      }
    },
  );

  test.each(Object.entries(strategies))(
    'by %s ends as if undisturbed, cut at any line',
    async (_, create) => {
      const path = join(temporaryFolder(), 'run');
      const undisturbed = await run(path, 3, create());
      const lines = readFileSync(join(path, 'journal.jsonl'), 'utf8').split(/(?<=\n)/);
      const snapshot = readFileSync(join(path, 'snapshot.json'), 'utf8');
      for (let kept = 1; kept <= lines.length; kept++) {
        const cut = join(temporaryFolder(), 'cut');
        mkdirSync(cut);
        writeFileSync(join(cut, 'journal.jsonl'), lines.slice(0, kept).join(''));
        // Of a line that is not there yet, except at the end.
        writeFileSync(join(cut, 'snapshot.json'), snapshot);
        expect(await run(cut, 3, create())).toEqual(undisturbed);
        rmSync(cut, { recursive: true });
      }
    },
  );

  test('killed between any two results goes on from its snapshot', async () => {
    const whole = await run(temporaryFolder(), 3, strategies.asha!());
    const path = join(temporaryFolder(), 'run');
    for (let life = 0; ; life++) {
      let measured = 0;
      const folder = existsSync(path) ? RunFolder.open(path) : RunFolder.create(path, header(3));
      const stop = new AbortController();
      const { status } = await runSearch({
        folder,
        header: header(3),
        strategy: strategies.asha!(),
        signal: stop.signal,
        estimator: {
          estimate: async (request) => {
            if (++measured > 2) setImmediate(() => stop.abort());
            return measure(request);
          },
          close: async () => {},
        },
      });
      if (status === 'finished') {
        expect(life).toBeGreaterThan(2);
        expect(readJournal(folder.journal).events.map(withoutClock)).toEqual(whole);
        return;
      }
    }
  });
});
