import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readJournal } from '../../src/runs/journal.js';
import type { Outcome } from '../../src/runs/outcome.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { acquireLock } from '../../src/runs/run-lock.js';
import type { StrategyEvent } from '../../src/strategies/strategy.js';
import { measure } from './measure.js';
import { type Estimate, estimating, header, journalIn, NotingStrategy, order, run } from './short-search.js';
import { temporaryFolder } from './temporary-folder.js';

describe('the order of a journal', () => {
  test('with one worker is ask, tell, ask, tell', async () => {
    const { journal, status } = await run({
      path: temporaryFolder(),
      header: header(1, 3),
      strategy: new NotingStrategy(),
    });
    expect(order(journal)).toBe('run ?0 !0 ?1 !1 ?2 !2 end');
    expect(status).toBe('finished');
  });

  test('with three workers asks for trial n when trial n-3 was told', async () => {
    const { journal } = await run({
      path: temporaryFolder(),
      header: header(3, 6),
      strategy: new NotingStrategy(),
    });
    expect(order(journal)).toBe('run ?0 ?1 ?2 !0 ?3 !1 ?4 !2 ?5 !3 !4 !5 end');
  });

  test('waits with a strategy that must be told first, and then catches up', async () => {
    class Waiting extends NotingStrategy {
      override ask() {
        return this.asked === 2 && this.told.length < 2 ? undefined : super.ask();
      }
    }
    const { journal } = await run({ path: temporaryFolder(), header: header(3, 5), strategy: new Waiting() });
    expect(order(journal)).toBe('run ?0 ?1 !0 !1 ?2 ?3 ?4 !2 !3 !4 end');
  });

  test('asks a strategy that said no only once more a result', async () => {
    class Waiting extends NotingStrategy {
      calls = 0;
      override ask() {
        this.calls++;
        return this.asked === 1 && this.told.length < 1 ? undefined : super.ask();
      }
    }
    const strategy = new Waiting();
    await run({ path: temporaryFolder(), header: header(3, 3), strategy });
    expect(strategy.calls).toBe(4);
  });

  test('ends before its last trial when the strategy has no more', async () => {
    class Exhausted extends NotingStrategy {
      override ask() {
        return this.asked === 2 ? undefined : super.ask();
      }
    }
    const { journal, status } = await run({
      path: temporaryFolder(),
      header: header(3, 9),
      strategy: new Exhausted(),
    });
    expect(order(journal)).toBe('run ?0 ?1 !0 !1 end');
    expect(status).toBe('finished');
  });

  test('has the seed of every trial, its outcome, the best, and nothing of the clock outside `clock`', async () => {
    const path = temporaryFolder();
    const accuracies = [0.25, 0.75, 0.5];
    const { state } = await run({
      path,
      header: header(1, 3),
      strategy: new NotingStrategy(),
      estimator: estimating(async ({ trial }) => ({
        status: 'ok',
        accuracy: accuracies[trial]!,
        params: 9,
        clock: { speed: 5 },
      })),
    });
    const { events } = readJournal(join(path, 'journal.jsonl'));
    const times = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
    expect(events.slice(1, 3)).toEqual([
      { event: 'trial', trial: 0, answers: [0], seed: 862818960, clock: { time: times } },
      {
        event: 'result',
        trial: 0,
        status: 'ok',
        accuracy: 0.25,
        params: 9,
        clock: { speed: 5, seconds: expect.any(Number), time: times },
      },
    ]);
    expect(events.at(-1)).toEqual({
      event: 'end',
      best: { trial: 1, accuracy: 0.75 },
      clock: { time: times },
    });
    expect(new Set(state.trials.map(({ seed }) => seed)).size).toBe(3);
  });

  test('is the same whatever the order in which results come in', async () => {
    for (const workers of [2, 3, 5]) {
      const undisturbed = await run({ path: temporaryFolder(), header: header(workers) });
      await fc.assert(
        fc.asyncProperty(fc.scheduler(), async (scheduler) => {
          const path = join(temporaryFolder(), 'run');
          const ended = run({
            path,
            header: header(workers),
            estimator: estimating((request) => scheduler.schedule(Promise.resolve(measure(request)))),
          });
          const { journal } = await scheduler.waitFor(ended);
          expect(journal).toEqual(undisturbed.journal);
          rmSync(path, { recursive: true });
        }),
        { numRuns: 15 },
      );
    }
  });
});

describe('what strategies are told', () => {
  test('is in the order of the trials and what the journal says, without the clock', async () => {
    const strategy = new NotingStrategy();
    await run({
      path: temporaryFolder(),
      header: header(2, 2),
      strategy,
      estimator: estimating(async ({ trial }) => {
        if (trial === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        return { status: 'ok', accuracy: 0.5, trained: trial, none: undefined, clock: { pid: 1 } };
      }),
    });
    expect(strategy.told).toStrictEqual([
      { trial: 0, answers: [0], outcome: { status: 'ok', accuracy: 0.5, trained: 0 } },
      { trial: 1, answers: [1], outcome: { status: 'ok', accuracy: 0.5, trained: 1 } },
    ]);
  });

  test('is a failure with its reason where the estimator throws or returns no outcome', async () => {
    const estimates: Estimate[] = [
      () => {
        throw new Error('thrown at once');
      },
      () => Promise.reject(new Error('rejected')),
      async () => ({ status: 'ok', accuracy: Number.NaN }),
      async () => undefined as unknown as Outcome,
      async () => ({ status: 'failed', reason: 'diverged' }),
    ];
    const strategy = new NotingStrategy();
    const { status, state } = await run({
      path: temporaryFolder(),
      header: header(2, 5),
      strategy,
      estimator: estimating((request, context) => estimates[request.trial]!(request, context)),
    });
    expect(status).toBe('finished');
    expect(state.best).toBeNull();
    expect(strategy.told.map(({ outcome }) => outcome)).toEqual(
      [
        'thrown at once',
        'rejected',
        'accuracy is NaN, not plain JSON',
        'the outcome is undefined',
        'diverged',
      ].map((reason) => ({ status: 'failed', reason })),
    );
  });

  test('is no matter of progress, which is only reported', async () => {
    const { notices, journal } = await run({
      path: temporaryFolder(),
      header: header(1, 1),
      estimator: estimating(async (request, { progress }) => {
        progress({ epoch: 1 });
        return measure(request);
      }),
    });
    expect(notices).toContainEqual({ kind: 'progress', trial: 0, progress: { epoch: 1 } });
    expect(order(journal)).toBe('run ?0 !0 end');
  });
});

describe('a search refuses', () => {
  test('a run that another one is writing', async () => {
    const path = join(temporaryFolder(), 'run');
    RunFolder.create(path, header(1));
    const lock = acquireLock(path);
    await expect(run({ path, header: header(1) })).rejects.toThrow(/is at work on this run/);
    lock.release();
  });

  test.each([
    [{ event: 'result' }, "the strategy noting has an event 'result' of its own"],
    [{ event: 'update', clock: { s: 1 } }, "the strategy noting has an event 'update' of its own"],
    [{ event: 'update', baseline: Number.NaN }, 'baseline is NaN'],
  ])('the event %j of a strategy', async (event, message) => {
    class Odd extends NotingStrategy {
      override tell() {
        return [event as StrategyEvent];
      }
    }
    const path = join(temporaryFolder(), 'run');
    await expect(run({ path, header: header(1), strategy: new Odd() })).rejects.toThrow(message);
    expect(order(journalIn(path))).toBe('run ?0 !0');
  });
});
