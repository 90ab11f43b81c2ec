import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { FolderStore } from '../../src/runs/checkpoint-store.js';
import type { EstimateContext, TrialRequest } from '../../src/runs/estimator.js';
import type { Measured } from '../../src/runs/outcome.js';
import type { SearchOptions } from '../../src/runs/search.js';
import { Space } from '../../src/space/space.js';
import { asha } from '../../src/strategies/asha.js';
import { hyperband } from '../../src/strategies/hyperband.js';
import type { Proposal, Strategy } from '../../src/strategies/strategy.js';
import { branching } from '../space/tiny-spaces.js';
import { type Estimate, estimating, header, linesIn, run as runShort } from './short-search.js';
import { temporaryFolder } from './temporary-folder.js';

// These tests cut or stop hundreds of runs, but simulate no power failure, so nothing has to wait for the disk.
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  fsyncSync: () => {},
}));

const space = Space.configure(branching);
const rungs = { minEpochs: 1, maxEpochs: 4, eta: 2 };
const start = { space, seed: 4, objectives: [accuracy] as const };
const strategies: Record<string, () => Strategy> = {
  asha: () => asha.create({ ...start, options: { ...rungs, configurations: 9, mispromotions: false } }),
  hyperband: () => hyperband.create({ ...start, options: rungs }),
};

/** Depends on the seed of the child and its epochs; some fail. */
function measure({ seed, epochs = 0 }: TrialRequest): Measured {
  const value = ((seed % 97) * 7 + epochs * 13) % 101;
  return value % 11 === 0
    ? { status: 'failed', reason: `diverged at ${value}` }
    : { measures: { accuracy: value / 101 } };
}

/** Runs or resumes a search to its end; its journal. */
async function run(
  path: string,
  workers: number,
  strategy: Strategy,
  estimate: Estimate = async (request) => measure(request),
  more: Partial<SearchOptions> = {},
) {
  const options = { path, header: header(workers, 99), strategy, estimator: estimating(estimate), ...more };
  const { status, journal } = await runShort({ snapshotEvery: 3, ...options });
  expect(status).toBe('finished');
  return journal;
}

/** `?2(1>4)`: trial 2 continues trial 1 up to 4 epochs; `!2`: its result. */
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
      ask: () => (asked < 4 ? { answers: [0], epochs: epochs[asked++] as number } : 'finished'),
      tell: () => [],
    };
    // Trial 1 ends at 1, trial 2 at 2, trial 0 at 3, trial 3 at 4.
    expect(order(await run(temporaryFolder(), 2, strategy))).toBe('?0(3) ?1(1) !1 ?2(1) !2 ?3(2) !0 !3');
  });

  test('counts only the epochs that a promoted child has not had yet', async () => {
    // Trial 0 ends at 1. Trial 2 continues it for 3 epochs and ends at 4, before trial 1 ends at 5.
    const proposals: Proposal[] = [
      { answers: [0], epochs: 1 },
      { answers: [1], epochs: 5 },
      { answers: [0], epochs: 4, continues: 0 },
    ];
    const strategy: Strategy = { ask: () => proposals.shift() ?? 'finished', tell: () => [] };
    const succeed: Estimate = async () => ({ measures: { accuracy: 0.5 } });
    expect(order(await run(temporaryFolder(), 2, strategy, succeed))).toBe('?0(1) ?1(5) !0 ?2(0>4) !2 !1');
  });

  test('gives a promoted child the answers, the seed and the checkpoint of its last trial', async () => {
    const path = temporaryFolder();
    const requests: TrialRequest[] = [];
    const stores: unknown[] = [];
    const journal = await run(path, 1, strategies.asha!(), async (request, { checkpoints }) => {
      requests.push(request);
      stores.push(checkpoints?.address);
      return { measures: { accuracy: 0.5 } };
    });
    // Of equal ones the first is promoted. With nine and eta = 2, four are promoted, and two of these.
    expect(order(journal)).toBe(
      '?0(1) !0 ?1(1) !1 ?2(0>2) !2 ?3(1) !3 ?4(1) !4 ?5(1>2) !5 ?6(2>4) !6 ?7(1) !7 ?8(1) !8 ?9(3>2) !9 ' +
        '?10(1) !10 ?11(1) !11 ?12(4>2) !12 ?13(5>4) !13 ?14(1) !14',
    );
    const { answers, seed } = requests[0] as TrialRequest;
    expect(requests[0]).toEqual({ trial: 0, answers, epochs: 1, seed });
    expect(requests[6]).toEqual({ trial: 6, answers, epochs: 4, continues: 2, epochsDone: 2, seed });
    expect(stores).toEqual(requests.map(() => new FolderStore(path).address));
    expect(journal.filter(({ trial }) => trial === 6)).toEqual([
      { event: 'trial', trial: 6, answers, epochs: 4, continues: 2, seed },
      { event: 'result', trial: 6, status: 'ok', measures: { accuracy: 0.5 } },
    ]);
  });

  test('keeps a checkpoint until the trial that continues it has its result, and none in the end', async () => {
    const path = temporaryFolder();
    const store = new FolderStore(path);
    const asked: number[] = [];
    const kept = () => asked.filter((trial) => store.load(trial) !== undefined);
    // Noted here and expected below: an error in an estimator would only make a failed trial.
    const keptDuring = new Map<number, number[]>();
    const missing: number[] = [];
    await run(path, 1, strategies.asha!(), async ({ trial, continues }, { checkpoints }) => {
      if (continues !== undefined && !kept().includes(continues)) missing.push(continues);
      asked.push(trial);
      checkpoints?.save(trial, (file) => writeFileSync(file, 'weights'));
      keptDuring.set(trial, kept());
      return { measures: { accuracy: 0.5 } };
    });
    expect(missing).toEqual([]);
    // Trial 2 continues trial 0, whose checkpoint is kept until trial 2 has its result.
    expect([keptDuring.get(2), keptDuring.get(3)]).toEqual([
      [0, 1, 2],
      [1, 2, 3],
    ]);
    expect(asked).toHaveLength(15);
    expect(kept()).toEqual([]);
  });

  test('has no checkpoints if all children are trained equally long', async () => {
    const contexts: EstimateContext[] = [];
    const strategy: Strategy = { ask: () => ({ answers: [0] }), tell: () => [] };
    const noting: Estimate = async (_, context) => {
      contexts.push(context);
      return { measures: { accuracy: 0.5 } };
    };
    await run(temporaryFolder(), 1, strategy, noting, { header: header(1, 2) });
    expect(contexts.map(({ checkpoints }) => checkpoints)).toEqual([undefined, undefined]);
  });

  test.each(Object.entries(strategies))(
    'by %s has the same journal in whatever order results arrive',
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
    'by %s ends like an undisturbed one after a cut at any line',
    async (_, create) => {
      const path = join(temporaryFolder(), 'run');
      const undisturbed = await run(path, 3, create());
      const lines = linesIn(path);
      const snapshot = readFileSync(join(path, 'snapshot.json'), 'utf8');
      for (let kept = 1; kept <= lines.length; kept++) {
        const cut = join(temporaryFolder(), 'cut');
        mkdirSync(cut);
        writeFileSync(join(cut, 'journal.jsonl'), lines.slice(0, kept).join(''));
        // It belongs to a later line, so that it cannot be used except at the end.
        writeFileSync(join(cut, 'snapshot.json'), snapshot);
        expect(await run(cut, 3, create())).toEqual(undisturbed);
        rmSync(cut, { recursive: true });
      }
    },
  );

  test('stopped again and again resumes from its snapshots', async () => {
    const whole = await run(temporaryFolder(), 3, strategies.asha!());
    const path = join(temporaryFolder(), 'run');
    for (let life = 0; ; life++) {
      let measured = 0;
      const stop = new AbortController();
      const { status, journal, notices } = await runShort({
        path,
        header: header(3, 99),
        strategy: strategies.asha!(),
        signal: stop.signal,
        estimator: estimating(async (request) => {
          if (++measured > 2) setImmediate(() => stop.abort());
          return measure(request);
        }),
      });
      expect(notices.some(({ kind }) => kind === 'restored')).toBe(life > 0);
      if (status === 'finished') {
        expect(life).toBeGreaterThan(2);
        expect(journal).toEqual(whole);
        return;
      }
    }
  });
});
