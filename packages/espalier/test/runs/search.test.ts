import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { deriveSeed } from '../../src/random/random.js';
import { readJournal } from '../../src/runs/journal.js';
import type { Outcome } from '../../src/runs/outcome.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { acquireLock } from '../../src/runs/run-lock.js';
import { RunState } from '../../src/runs/run-state.js';
import type { Asked, Proposal, Strategy, StrategyEvent } from '../../src/strategies/strategy.js';
import { measure } from './measure.js';
import {
  type Estimate,
  estimating,
  eventsIn,
  header,
  journalIn,
  NotingStrategy,
  order,
  run,
} from './short-search.js';
import { temporaryFolder } from './temporary-folder.js';

// These tests run hundreds of searches, but simulate no power failure, so nothing has to wait for the disk.
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  fsyncSync: () => {},
}));

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

  test('with three workers asks for trial n once trial n-3 is told', async () => {
    const { journal } = await run({
      path: temporaryFolder(),
      header: header(3, 6),
      strategy: new NotingStrategy(),
    });
    expect(order(journal)).toBe('run ?0 ?1 ?2 !0 ?3 !1 ?4 !2 ?5 !3 !4 !5 end');
  });

  test('reports each event, the first as one that was there before', async () => {
    const path = join(temporaryFolder(), 'run');
    const events = async () =>
      (await run({ path, header: header(1, 2) })).notices.flatMap((notice) =>
        notice.kind === 'event' ? [[notice.event.event, notice.replayed]] : [],
      );
    expect(await events()).toEqual([
      ['run', true],
      ['trial', false],
      ['result', false],
      ['trial', false],
      ['result', false],
      ['end', false],
    ]);
  });

  test('pauses while its strategy waits for a result, and then catches up', async () => {
    class Waiting extends NotingStrategy {
      override ask(): Asked {
        return this.asked === 2 && this.told.length < 2 ? 'wait' : super.ask();
      }
    }
    const { journal } = await run({ path: temporaryFolder(), header: header(3, 5), strategy: new Waiting() });
    expect(order(journal)).toBe('run ?0 ?1 !0 !1 ?2 ?3 ?4 !2 !3 !4 end');
  });

  test('asks a strategy that waits only once per result', async () => {
    class Waiting extends NotingStrategy {
      calls = 0;
      override ask(): Asked {
        this.calls++;
        return this.asked === 1 && this.told.length < 1 ? 'wait' : super.ask();
      }
    }
    const strategy = new Waiting();
    await run({ path: temporaryFolder(), header: header(3, 3), strategy });
    expect(strategy.calls).toBe(4);
  });

  test('ends before its last trial if the strategy has finished', async () => {
    class Exhausted extends NotingStrategy {
      calls = 0;
      override ask(): Asked {
        this.calls++;
        return this.asked === 2 ? 'finished' : super.ask();
      }
    }
    const strategy = new Exhausted();
    const { journal, status } = await run({
      path: temporaryFolder(),
      header: header(3, 9),
      strategy,
    });
    expect(order(journal)).toBe('run ?0 ?1 !0 !1 end');
    // It is not asked again.
    expect(strategy.calls).toBe(3);
    expect(status).toBe('finished');
  });

  test('has the seed and the outcome of every trial, the best, and nothing of the clock outside `clock`', async () => {
    const path = temporaryFolder();
    const accuracies = [0.25, 0.75, 0.5];
    const { state } = await run({
      path,
      header: header(1, 3),
      strategy: new NotingStrategy(),
      estimator: estimating(async ({ trial }) => ({
        measures: { accuracy: accuracies[trial]!, params: 9, loss: 2 },
        params: 9,
        clock: { speed: 5 },
      })),
    });
    const { events } = readJournal(join(path, 'journal.jsonl'));
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
    const elapsed = expect.any(Number);
    expect(events.slice(1, 3)).toEqual([
      {
        event: 'trial',
        trial: 0,
        answers: [0],
        seed: deriveSeed(11, 'trial 0'),
        clock: { time, elapsed },
      },
      {
        event: 'result',
        trial: 0,
        status: 'ok',
        measures: { accuracy: 0.25, params: 9, loss: 2 },
        params: 9,
        clock: { speed: 5, seconds: expect.any(Number), time, elapsed },
      },
    ]);
    // Of the measures, the best has those that are objectives of the search.
    expect(events.at(-1)).toEqual({
      event: 'end',
      best: { trial: 1, value: 0.75, measures: { accuracy: 0.75 } },
      clock: { time, elapsed },
    });
    expect(new Set(state.trials.map(({ seed }) => seed)).size).toBe(3);
  });

  test('keeps of a trial what it decides by; the journal has the rest', async () => {
    const curve = Array.from({ length: 600 }, (_, epoch) => ({ epoch, loss: 1 / (epoch + 1) }));
    const estimator = estimating(async ({ trial }) =>
      trial === 1
        ? { status: 'failed', reason: 'diverged', cost: 2, at: curve }
        : { measures: { accuracy: 0.5, loss: 1 }, cost: 3, epochs: curve, clock: { output: 'much' } },
    );
    const path = temporaryFolder();
    const { state, journal } = await run({
      ...{ path, header: header(1, 2), strategy: new NotingStrategy(), estimator },
      architectureOf: () => ({ cells: curve }),
    });
    expect(state.trials).toEqual([
      {
        ...{ trial: 0, answers: [0], seed: deriveSeed(11, 'trial 0') },
        outcome: { status: 'ok', measures: { accuracy: 0.5, loss: 1 }, cost: 3 },
      },
      {
        ...{ trial: 1, answers: [1], seed: deriveSeed(11, 'trial 1') },
        outcome: { status: 'failed', reason: 'diverged', cost: 2 },
      },
    ]);
    const read = RunState.of(eventsIn(path), path);
    expect(read.trials[0]).toMatchObject({ architecture: { cells: curve }, outcome: { epochs: curve } });
    expect(journal.filter(({ event }) => event === 'result')[1]).toMatchObject({ at: curve });
  });

  test('is the same in virtual time in whatever order results arrive', async () => {
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
  test('is what the journal says, in its order and without the clock', async () => {
    const strategy = new NotingStrategy();
    await run({
      path: temporaryFolder(),
      header: header(2, 2),
      strategy,
      estimator: estimating(async ({ trial }) => {
        if (trial === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        return { measures: { accuracy: 0.5, macs: 10 + trial }, epochs: 3, cost: 7, clock: { pid: 1 } };
      }),
    });
    const told = (trial: number) => ({
      trial,
      answers: [trial],
      outcome: {
        status: 'ok',
        value: 0.5,
        goodness: 0.5,
        measures: { accuracy: 0.5, macs: 10 + trial },
      },
    });
    expect(strategy.told).toStrictEqual([told(0), told(1)]);
  });

  test('is a failure with its reason if the estimator throws or returns no valid outcome', async () => {
    const estimates: Estimate[] = [
      () => {
        throw new Error('thrown at once');
      },
      () => Promise.reject(new Error('rejected')),
      async () => ({ measures: { accuracy: Number.NaN } }),
      async () => ({ measures: { accuracy: 84.2 } }),
      async () => undefined as unknown as Outcome,
      async () => ({ status: 'failed', reason: 'diverged' }),
    ];
    const strategy = new NotingStrategy();
    const { status, state } = await run({
      path: temporaryFolder(),
      header: header(2, 6),
      strategy,
      estimator: estimating((request, context) => estimates[request.trial]!(request, context)),
    });
    expect(status).toBe('finished');
    expect(state.best).toBeNull();
    expect(strategy.told.map(({ outcome }) => outcome)).toEqual(
      [
        'thrown at once',
        'rejected',
        'measures.accuracy is NaN, not plain JSON',
        'the accuracy is 84.2; allowed: 0 to 1',
        'the outcome is undefined',
        'diverged',
      ].map((reason) => ({ status: 'failed', reason })),
    );
  });

  test('stops the search after some failures where none has succeeded, to be resumed', async () => {
    const path = temporaryFolder();
    const failing = estimating(async () => ({ status: 'failed', reason: 'out of memory' }));
    const first = await run({ path, header: header(1, 9), estimator: failing, mostFailures: 3 });
    expect([first.status, first.state.told, first.state.failed]).toEqual(['failing', 3, 3]);
    expect(first.journal.at(-1)).toMatchObject({ event: 'result', trial: 2 });
    // Going on is another three; what succeeds then lets it go on to its end.
    const second = await run({ path, header: header(1, 9), estimator: failing, mostFailures: 3 });
    expect([second.status, second.state.failed]).toEqual(['failing', 6]);
    const third = await run({
      path,
      header: header(1, 9),
      mostFailures: 1,
      estimator: estimating(async ({ trial }) =>
        trial === 6 ? { measures: { accuracy: 0.5 } } : { status: 'failed', reason: 'out of memory' },
      ),
    });
    expect([third.status, third.state.done, third.state.failed]).toEqual(['finished', 1, 8]);
  });

  test('does not include progress, which is only reported', async () => {
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
  test('a run that another process is writing', async () => {
    const path = join(temporaryFolder(), 'run');
    RunFolder.create(path, header(1));
    const lock = acquireLock(path);
    await expect(run({ path, header: header(1) })).rejects.toThrow(/is at work on this run/);
    lock.release();
  });

  test('to wait for a strategy that waits although no trial is running', async () => {
    const path = join(temporaryFolder(), 'run');
    const strategy: Strategy = { ask: () => 'wait', tell: () => [] };
    await expect(run({ path, header: header(2), strategy, strategyName: 'idle' })).rejects.toThrow(
      new InputError('the strategy idle waits for a result although no trial is running'),
    );
    expect(order(journalIn(path))).toBe('run');
  });

  test.each<[Proposal, string]>([
    [{ answers: [0], epochs: 2.5 }, 'expected int'],
    [{ answers: [0], epochs: 0 }, 'expected number to be >=1'],
    [{ answers: [0.5] }, 'answers'],
    [{ answers: [0], epochs: 2, continues: 0 }, 'trial 1 cannot continue trial 0'],
    [{ answers: [0], epochs: 2, continues: 7 }, 'trial 1 cannot continue trial 7'],
  ])(
    'the proposal %j, and leaves a journal that a mended strategy can continue',
    async (illegal, message) => {
      class Odd extends NotingStrategy {
        override ask(): Asked {
          return this.asked === 1 ? illegal : super.ask();
        }
      }
      const path = join(temporaryFolder(), 'run');
      await expect(run({ path, header: header(1, 3), strategy: new Odd() })).rejects.toThrow(message);
      expect(order(journalIn(path))).toBe('run ?0 !0');
      const { journal } = await run({ path, header: header(1, 3), strategy: new NotingStrategy() });
      expect(order(journal)).toBe('run ?0 !0 ?1 !1 ?2 !2 end');
    },
  );

  test.each([
    [{ event: 'result' }, "the strategy of this search has an event 'result' of its own"],
    [{ event: 'update', clock: { s: 1 } }, "the strategy of this search has an event 'update' of its own"],
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
