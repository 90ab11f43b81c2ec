import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { ResultOrder } from '../../src/runs/journal-event.js';
import type { SearchOptions } from '../../src/runs/search.js';
import { FakeClock } from './fake-clock.js';
import { LearningStrategy } from './learning-strategy.js';
import { measure } from './measure.js';
import {
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

// These tests cut hundreds of runs, but simulate no power failure, so nothing has to wait for the disk.
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  fsyncSync: () => {},
}));

/** Runs or resumes a search whose trials have these durations. Also returns the trials in the order of their arrival. */
async function runTaking(
  durations: readonly number[],
  options: Pick<SearchOptions, 'header'> & Partial<SearchOptions> & { readonly path: string },
) {
  const clock = new FakeClock();
  const arrived: number[] = [];
  const estimator = estimating(async (request) => {
    await clock.sleep(durations[request.trial % durations.length] as number);
    arrived.push(request.trial);
    return measure(request);
  });
  return { ...(await clock.until(run({ estimator, ...options }))), arrived };
}

/** Trial 0 takes longer than three of the others. */
const slowFirst = [3.5, 1, 1, 1, 1, 1];

const resultsOf = (journal: readonly { readonly event: string; readonly trial?: unknown }[]) =>
  journal.flatMap(({ event, trial }) => (event === 'result' ? [trial as number] : []));

describe('results in order of arrival', () => {
  test('are told while a slow trial is running', async () => {
    const strategy = new NotingStrategy();
    const { journal } = await runTaking(slowFirst, {
      path: temporaryFolder(),
      header: header(2, 6, 'arrival'),
      strategy,
    });
    expect(order(journal)).toBe('run ?0 ?1 !1 ?2 !2 ?3 !3 ?4 !0 ?5 !4 !5 end');
    expect(strategy.told.map(({ trial }) => trial)).toEqual([1, 2, 3, 0, 4, 5]);
  });

  test('wait for a slow trial in virtual time', async () => {
    const path = temporaryFolder();
    const { journal } = await runTaking(slowFirst, {
      path,
      header: header(2, 6, 'virtual'),
      strategy: new NotingStrategy(),
    });
    expect(order(journal)).toBe('run ?0 ?1 !0 ?2 !1 ?3 !2 ?4 !3 ?5 !4 !5 end');
  });

  test('are told in the order of their arrival if several arrive at the same moment', async () => {
    const ends: (() => void)[] = [];
    const { journal } = await run({
      path: temporaryFolder(),
      header: header(3, 3, 'arrival'),
      strategy: new NotingStrategy(),
      estimator: estimating(async (request) => {
        await new Promise<void>((end) => {
          ends.push(end);
          // Not before all three wait.
          if (ends.length < 3) return;
          setImmediate(() => {
            for (const trial of [2, 0, 1]) ends[trial]?.();
          });
        });
        return measure(request);
      }),
    });
    expect(order(journal)).toBe('run ?0 ?1 ?2 !2 !0 !1 end');
  });

  test('are never kept outside of the journal, because none has to wait', async () => {
    const path = temporaryFolder();
    await runTaking([4, 1, 2, 1, 3], { path, header: header(3, 12, 'arrival') });
    expect(existsSync(join(path, 'trials'))).toBe(false);
  });

  test('are journaled in the order in which trials end, whatever their durations', async () => {
    await fc.assert(
      fc.asyncProperty(anyDurations, fc.integer({ min: 1, max: 4 }), async (durations, workers) => {
        const path = temporaryFolder();
        const { journal, arrived } = await runTaking(durations, {
          path,
          header: header(workers, 12, 'arrival'),
        });
        expect(resultsOf(journal)).toEqual(arrived);
      }),
      { numRuns: 20 },
    );
  });
});

const anyDurations = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 12, maxLength: 12 });

/** A life of a run: the durations of its trials, and where it is killed, as a share of what it would still write. */
const anyLife = fc.record({
  durations: anyDurations,
  end: fc.double({ min: 0, max: 1, noNaN: true }),
  torn: fc.double({ min: 0, max: 0.99, noNaN: true }),
  hasSnapshot: fc.boolean(),
});

type Life = typeof anyLife extends fc.Arbitrary<infer T> ? T : never;

/**
 * Begins or resumes the run in `path` and then cuts it as a kill would: after a line or within the next one, with the
 * snapshot that was on disk at that line, or none. Returns the lines that are kept.
 */
async function liveAndDie(
  { durations, end, torn, hasSnapshot }: Life,
  options: Parameters<typeof runTaking>[1],
): Promise<string[]> {
  const { path } = options;
  const [journal, snapshot] = ['journal.jsonl', 'snapshot.json'].map((name) => join(path, name)) as [
    string,
    string,
  ];
  const before = existsSync(journal) ? linesIn(path).filter((line) => line.endsWith('\n')).length : 1;
  const snapshots = new Map<number, string | undefined>();
  await runTaking(durations, {
    ...options,
    snapshotEvery: 2,
    report: (notice) => {
      if (notice.kind === 'event')
        snapshots.set(notice.state.events, existsSync(snapshot) ? readFileSync(snapshot, 'utf8') : undefined);
    },
  });
  const lines = linesIn(path);
  const kept = before + Math.floor(end * (lines.length - before));
  const next = lines[kept] ?? '';
  writeFileSync(journal, lines.slice(0, kept).join('') + next.slice(0, Math.floor(torn * next.length)));
  rmSync(snapshot, { force: true });
  const saved = snapshots.get(kept);
  if (hasSnapshot && saved !== undefined) writeFileSync(snapshot, saved);
  return lines.slice(0, kept);
}

const workersAtOnce = fc.integer({ min: 1, max: 4 });

describe.each<ResultOrder>(['arrival', 'virtual'])('a run in the order %s', (by) => {
  test('keeps its journal when killed at random and resumed, and can be replayed and followed', async () => {
    const estimate = vi.fn();
    await fc.assert(
      fc.asyncProperty(
        workersAtOnce,
        fc.array(anyLife, { minLength: 1, maxLength: 3 }),
        anyDurations,
        anyLife,
        async (workers, lives, durations, followingLife) => {
          const path = join(temporaryFolder(), 'run');
          const begun = header(workers, 12, by);
          let kept: string[] = [];
          for (const life of lives) {
            const lines = await liveAndDie(life, { path, header: begun });
            expect(lines.slice(0, kept.length)).toEqual(kept);
            kept = lines;
          }
          const { journal } = await runTaking(durations, { path, header: begun });
          expect(linesIn(path).slice(0, kept.length)).toEqual(kept);
          // Every trial has its result, once.
          expect(resultsOf(journal).sort((a, b) => a - b)).toEqual([...Array(12).keys()]);

          // A replay measures nothing, writes nothing, and brings the strategy to the same state.
          const lines = linesIn(path);
          rmSync(join(path, 'snapshot.json'), { force: true });
          const replayed = new LearningStrategy();
          await run({ path, header: begun, strategy: replayed, estimator: { estimate } });
          expect(estimate).not.toHaveBeenCalled();
          expect(linesIn(path)).toEqual(lines);

          // A run that follows this one writes the same, although its trials have other durations and it is killed.
          const follow = eventsIn(path);
          const again = join(dirname(path), 'again');
          await liveAndDie(followingLife, { path: again, header: begun, follow });
          const following = new LearningStrategy();
          const { status } = await runTaking(durations.toReversed(), {
            path: again,
            header: begun,
            follow,
            strategy: following,
          });
          expect(status).toBe('finished');
          expect(textWithoutClocks(again)).toBe(textWithoutClocks(path));
          expect(following.snapshot()).toEqual(replayed.snapshot());
          rmSync(dirname(path), { recursive: true });
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('a run that follows another', () => {
  const begun = header(2, 6, 'arrival');

  /** A run of which trial 0 was slow. */
  async function followed() {
    const path = temporaryFolder();
    await runTaking(slowFirst, { path, header: begun });
    return path;
  }

  test('tells results in the order of the other, although its own trials arrive in another', async () => {
    const path = await followed();
    const again = temporaryFolder();
    const { journal, arrived } = await runTaking([1, 3, 3, 3, 3, 3], {
      path: again,
      header: begun,
      follow: eventsIn(path),
    });
    expect(arrived[0]).toBe(0);
    expect(resultsOf(journal)).toEqual([1, 2, 3, 0, 4, 5]);
    expect(textWithoutClocks(again)).toBe(textWithoutClocks(path));
  });

  test('keeps the outcomes that wait for their turn, and does not measure them again', async () => {
    const path = await followed();
    const again = temporaryFolder();
    const follow = eventsIn(path);
    const stop = new AbortController();
    const first = await runTaking([1, 3, 3, 3, 3, 3], {
      path: again,
      header: begun,
      follow,
      signal: stop.signal,
      report: (notice) => {
        if (notice.kind === 'event' && notice.event.trial === 2) stop.abort();
      },
    });
    expect(order(first.journal)).toBe('run ?0 ?1 !1 ?2');
    expect(readdirSync(join(again, 'trials'))).toEqual(['0']);
    const second = await runTaking([1], { path: again, header: begun, follow });
    expect(second.arrived.sort((a, b) => a - b)).toEqual([2, 3, 4, 5]);
    expect(textWithoutClocks(again)).toBe(textWithoutClocks(path));
  });

  test('continues in its own order where an unfinished one ends', async () => {
    const path = await followed();
    const unfinished = eventsIn(path).slice(0, 7);
    expect(order(unfinished)).toBe('run ?0 ?1 !1 ?2 !2 ?3');
    const { journal, status } = await runTaking([1, 2, 2, 2, 2, 2], {
      path: temporaryFolder(),
      header: begun,
      follow: unfinished,
    });
    expect(status).toBe('finished');
    // Trial 0 ended long ago, and is told as soon as no order is prescribed.
    expect(resultsOf(journal)).toEqual([1, 2, 0, 3, 4, 5]);
  });

  test('says so when it has diverged from the other, and continues in its own order', async () => {
    const path = await followed();
    const follow = eventsIn(path).map((event) =>
      event.event === 'result' && event.trial === 2 ? { ...event, trial: 5 } : event,
    );
    const { journal, messages } = await runTaking([1, 2, 2, 2, 2, 2], {
      path: temporaryFolder(),
      header: begun,
      follow,
    });
    expect(messages).toEqual([
      expect.stringMatching(
        /^trial 5 comes next in the run that this one repeats, but is not running here: the runs have diverged/,
      ),
    ]);
    expect(resultsOf(journal)).toEqual([1, 0, 2, 3, 4, 5]);
  });
});
