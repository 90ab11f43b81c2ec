import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { acquireLock } from '../../src/runs/run-lock.js';
import type { SearchNotice } from '../../src/runs/search.js';
import type { TrialResult } from '../../src/strategies/strategy.js';
import { LearningStrategy } from './learning-strategy.js';
import { measure } from './measure.js';
import { estimating, header, order, run } from './short-search.js';
import { temporaryFolder } from './temporary-folder.js';

// These tests stop hundreds of runs, but simulate no power failure, so nothing has to wait for the disk.
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  fsyncSync: () => {},
}));

describe('a search that is stopped', () => {
  test.each([1, 3])(
    'leaves a prefix of the undisturbed journal, whatever event it stops after, with %i workers',
    async (workers) => {
      const undisturbed = await run({ path: temporaryFolder(), header: header(workers) });
      for (let events = 1; events < undisturbed.journal.length; events++) {
        const path = join(temporaryFolder(), 'run');
        const stop = new AbortController();
        const { status, journal } = await run({
          path,
          header: header(workers),
          signal: stop.signal,
          report: ({ kind, state }: SearchNotice & { state?: { events: number } }) => {
            if (kind === 'event' && state?.events === events) stop.abort();
          },
        });
        expect(status).toBe('interrupted');
        expect(journal).toEqual(undisturbed.journal.slice(0, journal.length));
        const resumed = await run({ path, header: header(workers) });
        // The snapshot covers the whole journal, so nothing is replayed but the header.
        expect(resumed.notices.filter((notice) => notice.kind === 'event' && notice.replayed)).toHaveLength(
          1,
        );
        expect(resumed.journal).toEqual(undisturbed.journal);
        rmSync(dirname(path), { recursive: true });
      }
    },
  );

  test('while its strategy waits does not ask it when resumed until a result is there', async () => {
    const path = join(temporaryFolder(), 'run');
    const stop = new AbortController();
    class Stopping extends LearningStrategy {
      override ask() {
        const asked = super.ask();
        if (asked === 'wait') setImmediate(() => stop.abort());
        return asked;
      }
    }
    const { status, journal } = await run({
      path,
      header: header(3),
      signal: stop.signal,
      strategy: new Stopping(),
      estimator: estimating(async (request) =>
        request.trial === 2 ? new Promise(() => {}) : measure(request),
      ),
    });
    expect(status).toBe('interrupted');
    expect(order(journal)).toBe('run ?0 ?1 ?2 !0 ?3 !1');
    const resumed = await run({ path, header: header(3) });
    expect(resumed.journal).toEqual((await run({ path: temporaryFolder(), header: header(3) })).journal);
  });

  test('stops even if every outcome is available at once', async () => {
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    const { status } = await run({ path: temporaryFolder(), header: header(1, 99), signal: stop.signal });
    expect(status).toBe('interrupted');
  });

  test('before it begins writes nothing but a snapshot', async () => {
    const { status, journal } = await run({
      path: temporaryFolder(),
      header: header(2),
      signal: AbortSignal.abort(),
    });
    expect(status).toBe('interrupted');
    expect(order(journal)).toBe('run');
  });

  test('aborts the running trials and ignores what they return then', async () => {
    const path = join(temporaryFolder(), 'run');
    const stop = new AbortController();
    let stopped = 0;
    const { status, journal } = await run({
      path,
      header: header(3),
      signal: stop.signal,
      estimator: estimating(
        ({ trial }, { signal }) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              stopped++;
              resolve({ status: 'failed', reason: 'stopped' });
            });
            if (trial === 2) setImmediate(() => stop.abort());
          }),
      ),
    });
    expect(status).toBe('interrupted');
    expect(stopped).toBe(3);
    expect(order(journal)).toBe('run ?0 ?1 ?2');
    expect(existsSync(join(path, 'trials'))).toBe(false);
  });

  test('can run many trials at once without a warning from Node', async () => {
    const warn = vi.spyOn(process, 'emitWarning');
    await run({
      path: temporaryFolder(),
      header: header(12),
      estimator: estimating(async (request, { signal }) => {
        signal.addEventListener('abort', () => {});
        return measure(request);
      }),
    });
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test('in the middle of a replay resumes from there', async () => {
    const path = join(temporaryFolder(), 'run');
    const undisturbed = await run({ path, header: header(3) });
    const stop = new AbortController();
    const { status } = await run({
      path,
      header: header(3),
      signal: stop.signal,
      report: (notice) => {
        if (notice.kind === 'event' && notice.state.events === 14) stop.abort();
      },
    });
    expect(status).toBe('interrupted');
    const { notices, journal } = await run({ path, header: header(3) });
    expect(notices.some(({ kind }) => kind === 'restored')).toBe(true);
    expect(journal).toEqual(undisturbed.journal);
  });

  test('by an error of its strategy aborts its trials, releases the lock and can be resumed', async () => {
    class Breaking extends LearningStrategy {
      override tell(result: TrialResult) {
        if (result.trial === 5) throw new Error('a bug in tell');
        return super.tell(result);
      }
    }
    const path = join(temporaryFolder(), 'run');
    const signals: AbortSignal[] = [];
    const noting = estimating(async (request, { signal }) => {
      signals.push(signal);
      return measure(request);
    });
    const broken = run({ path, header: header(3), strategy: new Breaking(), estimator: noting });
    await expect(broken).rejects.toThrow('a bug in tell');
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    acquireLock(path).release();
    const { journal } = await run({ path, header: header(3) });
    expect(journal).toEqual((await run({ path: temporaryFolder(), header: header(3) })).journal);
  });
});
