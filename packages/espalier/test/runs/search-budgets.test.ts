import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunHeader } from '../../src/runs/journal-event.js';
import { LearningStrategy } from './learning-strategy.js';
import { measure } from './measure.js';
import {
  type Estimate,
  estimating,
  eventsIn,
  header,
  linesIn,
  NotingStrategy,
  order,
  run,
  textWithoutClocks,
} from './short-search.js';
import { temporaryFolder } from './temporary-folder.js';

/** A header with these budgets alone. */
function budgeted(workers: number, budget: Pick<RunHeader, 'trials' | 'seconds' | 'cost'>): RunHeader {
  const { trials: _, ...rest } = header(workers);
  return { ...rest, ...budget };
}

const costing = (...costs: (number | undefined)[]) =>
  estimating(async ({ trial }) => {
    const cost = costs[trial % costs.length];
    const spent = cost === undefined ? {} : { cost };
    if (trial === 1) return { status: 'failed', reason: 'diverged', ...spent };
    return { measures: { accuracy: 0.5 }, ...spent };
  });

describe('a budget of cost', () => {
  test('ends the asking when the results have cost as much, and lets running trials end', async () => {
    const { journal, state } = await run({
      path: temporaryFolder(),
      header: budgeted(2, { cost: 3 }),
      strategy: new NotingStrategy(),
      estimator: costing(1),
    });
    // Trial 1 failed, and has its cost too.
    expect(order(journal)).toBe('run ?0 ?1 !0 ?2 !1 ?3 !2 !3 end');
    expect(state).toMatchObject({ cost: 4, limited: false, finished: true });
  });

  test('allows another trial as long as the smallest part of it is left', async () => {
    const { journal, state } = await run({
      path: temporaryFolder(),
      header: budgeted(1, { cost: 1.75 }),
      strategy: new NotingStrategy(),
      estimator: costing(1, 0.5, 0.125),
    });
    expect(order(journal)).toBe('run ?0 !0 ?1 !1 ?2 !2 ?3 !3 end');
    expect(state.cost).toBe(2.625);
  });

  test('and one of trials end the asking, whichever is spent first', async () => {
    const ended = async (trials: number, cost: number) => {
      const { state } = await run({
        path: temporaryFolder(),
        header: budgeted(1, { trials, cost }),
        strategy: new NotingStrategy(),
        estimator: costing(2, undefined),
      });
      return state.told;
    };
    // Every second trial costs 2, the others nothing.
    expect([await ended(3, 100), await ended(100, 5)]).toEqual([3, 5]);
  });

  test('is the same in a resumed run', async () => {
    const begun = budgeted(3, { cost: 9 });
    const { journal } = await run({ path: temporaryFolder(), header: begun });
    expect(journal.filter(({ event }) => event === 'result').length).toBeGreaterThan(6);
    const path = temporaryFolder();
    const stop = new AbortController();
    const options = { path, header: begun };
    await run({
      ...options,
      signal: stop.signal,
      report: (notice) => {
        if (notice.kind === 'event' && notice.state.told === 3) stop.abort();
      },
    });
    expect((await run(options)).journal).toEqual(journal);
  });
});

describe('a budget of seconds', () => {
  /** Milliseconds on the clock that the engine reads. */
  let now = 0;
  beforeEach(() => {
    now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    return () => clock.mockRestore();
  });

  /** Every trial takes five seconds. */
  const slow: Estimate = async (request) => {
    now += 5000;
    return measure(request);
  };

  /** Changes the seconds that the last line of a journal records. */
  function setElapsed(path: string, elapsed: number): void {
    const lines = linesIn(path);
    const last = (lines.at(-1) as string).replace(/"elapsed":[\d.]+/, `"elapsed":${elapsed}`);
    writeFileSync(join(path, 'journal.jsonl'), [...lines.slice(0, -1), last].join(''));
  }

  /** A run that was stopped when two of its trials had their results. */
  async function stopped(begun: RunHeader): Promise<string> {
    const path = temporaryFolder();
    const stop = new AbortController();
    const { journal } = await run({
      path,
      header: begun,
      strategy: new NotingStrategy(),
      signal: stop.signal,
      report: (notice) => {
        if (notice.kind === 'event' && notice.state.told === 2) stop.abort();
      },
    });
    expect(order(journal)).toBe('run ?0 ?1 ?2 !0 ?3 !1');
    rmSync(join(path, 'snapshot.json'));
    return path;
  }

  const begun = budgeted(3, { trials: 8, seconds: 60 });

  test('ends the asking with the event limit once it has passed, and lets running trials end', async () => {
    const path = await stopped(begun);
    setElapsed(path, 60);
    const { journal, state } = await run({ path, header: begun, strategy: new NotingStrategy() });
    expect(order(journal)).toBe('run ?0 ?1 ?2 !0 ?3 !1 limit !2 !3 end');
    expect(journal.at(7)).toEqual({ event: 'limit', limit: 'seconds' });
    expect(state).toMatchObject({ limited: true, finished: true, told: 4 });
  });

  test('has not passed a millisecond before', async () => {
    const path = await stopped(begun);
    setElapsed(path, 59.999);
    const { journal, state } = await run({ path, header: begun, strategy: new NotingStrategy() });
    expect(order(journal)).toBe('run ?0 ?1 ?2 !0 ?3 !1 ?4 !2 ?5 !3 ?6 !4 ?7 !5 !6 !7 end');
    expect(state.limited).toBe(false);
  });

  test('ends a replay where it ended the run, whatever the clock says', async () => {
    const path = await stopped(begun);
    setElapsed(path, 60);
    await run({ path, header: begun, strategy: new NotingStrategy() });
    const lines = linesIn(path);
    const estimate = vi.fn();
    const { status } = await run({
      path,
      header: begun,
      strategy: new NotingStrategy(),
      estimator: { estimate },
    });
    expect(status).toBe('finished');
    expect(estimate).not.toHaveBeenCalled();
    expect(linesIn(path)).toEqual(lines);
  });

  test('ends a run that follows another where it ended the other, in the middle of asking too', async () => {
    // Time passes after trial 1 is asked for, while a worker is free still.
    const path = temporaryFolder();
    const { journal } = await run({
      path,
      header: begun,
      strategy: new NotingStrategy(),
      report: (notice) => {
        if (notice.kind === 'event' && notice.event.event === 'trial' && notice.event.trial === 1)
          now += 60_000;
      },
    });
    expect(order(journal)).toBe('run ?0 ?1 limit !0 !1 end');
    const again = temporaryFolder();
    now = 0;
    const options = { header: begun, follow: eventsIn(path) };
    await run({ ...options, path: again, strategy: new NotingStrategy() });
    expect(textWithoutClocks(again)).toBe(textWithoutClocks(path));
    // A follower that takes longer asks for as many trials.
    const slower = temporaryFolder();
    await run({
      ...options,
      path: slower,
      strategy: new NotingStrategy(),
      report: () => {
        now += 30_000;
      },
    });
    expect(textWithoutClocks(slower)).toBe(textWithoutClocks(path));
  });

  test('is that of the follower once the run that it follows has no more lines', async () => {
    const path = await stopped(begun);
    now = 0;
    const { journal } = await run({
      path: temporaryFolder(),
      header: begun,
      strategy: new NotingStrategy(),
      follow: eventsIn(path),
      report: () => {
        now += 30_000;
      },
    });
    expect(order(journal)).toBe('run ?0 ?1 ?2 !0 ?3 !1 limit !2 !3 end');
  });

  test('counts the seconds of all lives of a run, and not those between them', async () => {
    const path = temporaryFolder();
    const seconds = budgeted(1, { seconds: 22 });
    const stop = new AbortController();
    const options = { path, header: seconds, estimator: estimating(slow) };
    const first = await run({
      ...options,
      strategy: new NotingStrategy(),
      signal: stop.signal,
      report: (notice) => {
        if (notice.kind === 'event' && notice.state.told === 2) stop.abort();
      },
    });
    expect(first.state.seconds).toBe(10);
    now += 1_000_000;
    const { journal, state } = await run({ ...options, strategy: new NotingStrategy() });
    expect(order(journal)).toBe('run ?0 !0 ?1 !1 ?2 !2 ?3 !3 ?4 !4 limit end');
    const elapsed = eventsIn(path).flatMap(({ event, clock }) =>
      event === 'result' ? [clock?.elapsed] : [],
    );
    expect(elapsed).toEqual([5, 10, 15, 20, 25]);
    expect(state.seconds).toBe(25);
  });

  test('does not end a search that ends for another reason', async () => {
    // After two trials ten seconds have passed, but the two were all.
    const short = budgeted(1, { trials: 2, seconds: 7 });
    const { journal } = await run({
      path: temporaryFolder(),
      header: short,
      strategy: new NotingStrategy(),
      estimator: estimating(slow),
    });
    expect(order(journal)).toBe('run ?0 !0 ?1 !1 end');
  });

  test('of a search with a snapshot is the same', async () => {
    const path = temporaryFolder();
    const seconds = budgeted(2, { seconds: 22 });
    const options = { path, header: seconds, estimator: estimating(slow) };
    const stop = new AbortController();
    await run({
      ...options,
      signal: stop.signal,
      report: (notice) => {
        if (notice.kind === 'event' && notice.state.told === 3) stop.abort();
      },
    });
    const { notices, state } = await run({ ...options, strategy: new LearningStrategy() });
    expect(notices.some(({ kind }) => kind === 'restored')).toBe(true);
    expect(state).toMatchObject({ limited: true, finished: true });
    expect(state.outstanding).toEqual([]);
    expect(state.told).toBeGreaterThan(3);
  });
});

test('a search takes a snapshot after a second, not after every result', async () => {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const path = temporaryFolder();
  const file = join(path, 'snapshot.json');
  const taken: (number | null)[] = [];
  await run({
    path,
    header: header(1, 7),
    strategy: new NotingStrategy(),
    estimator: estimating(async (request) => {
      taken.push(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).content.events : null);
      now += 400;
      return measure(request);
    }),
  });
  clock.mockRestore();
  // What each trial finds: 1.2 seconds have passed after every third result, of which the journal has 7 and 13 lines.
  expect(taken).toEqual([null, null, null, 7, 7, 7, 13]);
});
