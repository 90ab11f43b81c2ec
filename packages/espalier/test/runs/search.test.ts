import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';
import type { EstimateContext, Estimator, TrialRequest } from '../../src/runs/estimator.js';
import { readJournal } from '../../src/runs/journal.js';
import { type JournalEvent, withoutClock } from '../../src/runs/journal-event.js';
import type { Outcome } from '../../src/runs/outcome.js';
import { RunFolder } from '../../src/runs/run-folder.js';
import { acquireLock } from '../../src/runs/run-lock.js';
import { runSearch, type SearchNotice, type SearchOptions } from '../../src/runs/search.js';
import type { Proposal, Strategy, StrategyEvent, TrialResult } from '../../src/strategies/strategy.js';
import { LearningStrategy } from './learning-strategy.js';
import { measure } from './measure.js';
import { temporaryFolder } from './temporary-folder.js';

// Hundreds of runs that are cut or killed, but never by a power failure: the disk need not be waited for.
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  fsyncSync: () => {},
}));

const header = (workers: number, trials = 12) => ({ seed: 11, trials, workers, space: 'toy' });

type Estimate = (request: TrialRequest, context: EstimateContext) => Promise<Outcome>;
const estimating = (estimate: Estimate): Estimator => ({ estimate, close: async () => {} });
const measuring = estimating(async (request) => measure(request));

/** Proposes its own number, and only notes what it is told. */
class NotingStrategy implements Strategy {
  readonly name: string = 'noting';
  readonly told: TrialResult[] = [];
  asked = 0;
  ask(): Proposal | undefined {
    return { answers: [this.asked++] };
  }
  tell(result: TrialResult): readonly StrategyEvent[] {
    this.told.push(result);
    return [];
  }
  snapshot() {
    return { json: { asked: this.asked }, tensors: new Map() };
  }
  restore({ json }: { json: unknown }): void {
    this.asked = (json as { asked: number }).asked;
  }
}

interface Run extends Omit<SearchOptions, 'folder' | 'strategy' | 'estimator'> {
  readonly path: string;
  readonly strategy?: Strategy;
  readonly estimator?: Estimator;
}

/** Begins a run where there is none and goes on with it where there is one. */
async function run({ path, strategy = new LearningStrategy(), estimator = measuring, ...options }: Run) {
  const folder = existsSync(join(path, 'journal.jsonl'))
    ? RunFolder.open(path)
    : RunFolder.create(path, options.header);
  const notices: SearchNotice[] = [];
  const end = await runSearch({
    ...options,
    folder,
    strategy,
    estimator,
    report: (notice) => {
      notices.push(notice);
      options.report?.(notice);
    },
  });
  const messages = notices.flatMap((notice) => (notice.kind === 'message' ? [notice.text] : []));
  return { ...end, notices, messages, journal: journalIn(path) };
}

function journalIn(path: string): JournalEvent[] {
  return readJournal(join(path, 'journal.jsonl')).events.map(withoutClock);
}

/** What happened, one word an event: `?2` trial 2 is asked for, `!2` its result, `*` the strategy's. */
function order(journal: readonly JournalEvent[]): string {
  const words = journal.map(({ event, trial }) => {
    if (event === 'trial') return `?${trial}`;
    if (event === 'result') return `!${trial}`;
    return event === 'run' || event === 'end' ? event : '*';
  });
  return words.join(' ');
}

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

describe('a run that goes on', () => {
  test.each([1, 3])('ends as if undisturbed, cut at any line or within it, %i at once', async (workers) => {
    // What was on the disk when each line was written: the snapshot after it may have been written or not.
    const path = join(temporaryFolder(), 'run');
    const snapshots: (string | undefined)[] = [];
    const undisturbed = await run({
      path,
      header: header(workers),
      snapshotEvery: 3,
      report: (notice) => {
        const file = join(path, 'snapshot.json');
        if (notice.kind === 'event')
          snapshots.push(existsSync(file) ? readFileSync(file, 'utf8') : undefined);
      },
    });
    const lines = readFileSync(join(path, 'journal.jsonl'), 'utf8').split(/(?<=\n)/);
    expect(snapshots).toHaveLength(lines.length);
    expect(new Set(snapshots).size).toBeGreaterThan(4);
    const random = Random.of(workers, 'cuts');
    for (let kept = 1; kept <= lines.length; kept++) {
      const next = lines[kept] ?? '';
      const torn = next.slice(0, random.below(next.length + 1));
      for (const snapshot of new Set([undefined, snapshots[kept - 1], snapshots[kept]])) {
        const cut = join(temporaryFolder(), 'cut');
        mkdirSync(cut);
        writeFileSync(join(cut, 'journal.jsonl'), lines.slice(0, kept).join('') + torn);
        if (snapshot !== undefined) writeFileSync(join(cut, 'snapshot.json'), snapshot);
        const { journal, status, notices, messages } = await run({ path: cut, header: header(workers) });
        expect(journal).toEqual(undisturbed.journal);
        expect(readFileSync(join(cut, 'journal.jsonl'), 'utf8')).toContain(lines.slice(0, kept).join(''));
        expect(status).toBe('finished');
        expect(notices.some(({ kind }) => kind === 'restored')).toBe(snapshot !== undefined);
        expect(messages.some((text) => text.includes('cut in mid-write'))).toBe(torn !== '' && torn !== next);
        rmSync(cut, { recursive: true });
      }
    }
  });

  test('does not measure again what the journal or a kept outcome has', async () => {
    const path = join(temporaryFolder(), 'run');
    const undisturbed = await run({ path: temporaryFolder(), header: header(3) });
    const stop = new AbortController();
    // Trial 4 is never done in the first life; those after it are, and wait for it.
    const first = await run({
      path,
      header: header(3),
      signal: stop.signal,
      estimator: estimating(async (request) => {
        if (request.trial === 4) return new Promise(() => {});
        if (request.trial === 6) setImmediate(() => stop.abort());
        return measure(request);
      }),
    });
    expect(first.status).toBe('interrupted');
    expect(order(first.journal)).toMatch(/\?6$/);
    expect(readdirSync(join(path, 'trials')).sort()).toEqual(['0', '1', '2', '3', '5', '6']);
    const again: number[] = [];
    const counting = estimating(async (request) => {
      again.push(request.trial);
      return measure(request);
    });
    const { journal } = await run({ path, header: header(3), estimator: counting });
    expect(journal).toEqual(undisturbed.journal);
    expect(again).toEqual([4, 7, 8, 9, 10, 11]);
  });

  test.each([
    [
      'of another architecture',
      (text: string) => text.replace(/"answers":\[\d+/, '"answers":[9999'),
      /is of another/,
    ],
    ['of another seed', (text: string) => text.replace(/"seed":\d+/, '"seed":1'), /is of another/],
    ['cut short', (text: string) => text.slice(0, 30), /cannot be read/],
    [
      'without an outcome',
      (text: string) => text.replace('"status":"ok"', '"status":"great"'),
      /cannot be read/,
    ],
  ])('does not use a kept outcome %s', async (_, change, message) => {
    const path = join(temporaryFolder(), 'run');
    const { journal } = await run({ path, header: header(1, 3) });
    const result = join(path, 'trials', '2', 'result.json');
    const text = readFileSync(result, 'utf8').replace(
      /"status":"failed","reason":"[^"]*"/,
      '"status":"ok","accuracy":1',
    );
    const lines = readFileSync(join(path, 'journal.jsonl'), 'utf8').split(/(?<=\n)/);
    writeFileSync(join(path, 'journal.jsonl'), lines.slice(0, -2).join(''));
    writeFileSync(result, change(text));
    const estimate = vi.fn(async (request: TrialRequest) => measure(request));
    const again = await run({ path, header: header(1, 3), estimator: estimating(estimate) });
    expect(again.journal).toEqual(journal);
    expect(estimate).toHaveBeenCalledTimes(1);
    expect(again.messages).toContainEqual(expect.stringMatching(message));
  });

  test.each([
    [
      'damaged',
      (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replace('average', 'averige')),
      /no snapshot to go on from \(its content/,
    ],
    ['missing', (file: string) => rmSync(file), /no snapshot to go on from \(there is none\)/],
    [
      'cut',
      (file: string) => writeFileSync(file, readFileSync(file, 'utf8').slice(0, 99)),
      /no snapshot to go on from \(/,
    ],
  ])('replays the journal where the snapshot is %s', async (_, damage, message) => {
    const path = join(temporaryFolder(), 'run');
    const stop = new AbortController();
    const stopping = (notice: SearchNotice) => {
      if (notice.kind === 'event' && notice.event.event === 'result' && notice.event.trial === 6)
        stop.abort();
    };
    await run({ path, header: header(3), signal: stop.signal, report: stopping });
    damage(join(path, 'snapshot.json'));
    rmSync(join(path, 'trials'), { recursive: true });
    const again: number[] = [];
    const noting = estimating(async (request) => {
      again.push(request.trial);
      return measure(request);
    });
    const { journal, messages, notices } = await run({ path, header: header(3), estimator: noting });
    expect(again).toEqual([7, 8, 9, 10, 11]);
    expect(messages).toEqual([expect.stringMatching(message)]);
    expect(notices.filter((notice) => notice.kind === 'event' && notice.replayed).length).toBeGreaterThan(10);
    expect(journal).toEqual((await run({ path: temporaryFolder(), header: header(3) })).journal);
  });

  test('replays the journal where the snapshot is of another run', async () => {
    const [path, other] = [join(temporaryFolder(), 'run'), join(temporaryFolder(), 'run')];
    const { journal } = await run({ path, header: header(2) });
    await run({ path: other, header: { ...header(2), seed: 12 } });
    copyFileSync(join(other, 'snapshot.json'), join(path, 'snapshot.json'));
    const again = await run({ path, header: header(2) });
    expect(again.messages).toEqual([expect.stringMatching(/the snapshot is not of this journal/)]);
    expect(again.journal).toEqual(journal);
  });

  test('changes no byte of a run that has ended', async () => {
    const path = join(temporaryFolder(), 'run');
    await run({ path, header: header(2) });
    const before = readFileSync(join(path, 'journal.jsonl'));
    const estimate = vi.fn(async (request: TrialRequest) => measure(request));
    const { status, state } = await run({ path, header: header(2), estimator: estimating(estimate) });
    expect(status).toBe('finished');
    expect(state).toMatchObject({ finished: true, told: 12 });
    expect(readFileSync(join(path, 'journal.jsonl'))).toEqual(before);
    expect(estimate).not.toHaveBeenCalled();
  });

  test('refuses other options, another strategy, and lines that it would not write', async () => {
    const path = join(temporaryFolder(), 'run');
    await run({ path, header: header(1, 4) });
    const journal = join(path, 'journal.jsonl');
    const before = readFileSync(journal);
    await expect(run({ path, header: { ...header(1, 4), space: 'other' } })).rejects.toThrow(
      new InputError(
        `${journal}:1: the search would write "other" where the journal has "toy" (space). ` +
          'The run was made by another version or with other options',
      ),
    );
    rmSync(join(path, 'snapshot.json'));
    await expect(run({ path, header: header(1, 4), strategy: new NotingStrategy() })).rejects.toThrow(
      /journal.jsonl:2: the search would write 0 where the journal has \d+ \(answers.0\)/,
    );
    expect(readFileSync(journal)).toEqual(before);
    const lines = before.toString().split(/(?<=\n)/);
    writeFileSync(journal, [...lines.slice(0, 2), lines[3], ...lines.slice(2)].join(''));
    await expect(run({ path, header: header(1, 4) })).rejects.toThrow(
      /journal.jsonl:3: the search would write \{"event":"result","trial":0\} where the journal has \{"event":"trial"/,
    );
    writeFileSync(journal, [...lines, lines[1]].join(''));
    await expect(run({ path, header: header(1, 4) })).rejects.toThrow(
      /:\d+: the search ends before this line/,
    );
  });

  test('says which snapshot a strategy cannot read and what to do', async () => {
    class Picky extends NotingStrategy {
      override restore(): void {
        throw new InputError('no controller in it');
      }
    }
    const path = join(temporaryFolder(), 'run');
    await run({ path, header: header(1, 2), strategy: new NotingStrategy() });
    await expect(run({ path, header: header(1, 2), strategy: new Picky() })).rejects.toThrow(
      new InputError(
        `${join(path, 'snapshot.json')}: the strategy noting cannot go on from this snapshot: ` +
          'no controller in it. Delete the file to replay the journal instead',
      ),
    );
  });
});

describe('a search that is stopped', () => {
  test.each([1, 3])(
    'at any event leaves a prefix of the undisturbed journal, %i at once',
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
        // The last position has its snapshot: nothing is replayed but the header.
        expect(resumed.notices.filter((notice) => notice.kind === 'event' && notice.replayed)).toHaveLength(
          1,
        );
        expect(resumed.journal).toEqual(undisturbed.journal);
        rmSync(dirname(path), { recursive: true });
      }
    },
  );

  test('while its strategy has to be told first waits with asking when it goes on', async () => {
    const path = join(temporaryFolder(), 'run');
    const stop = new AbortController();
    class Stopping extends LearningStrategy {
      override ask() {
        const proposal = super.ask();
        if (proposal === undefined) setImmediate(() => stop.abort());
        return proposal;
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

  test('is stopped, too, where every outcome is there at once', async () => {
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    const { status } = await run({ path: temporaryFolder(), header: header(1, 99), signal: stop.signal });
    expect(status).toBe('interrupted');
  });

  test('before it began writes nothing but a snapshot', async () => {
    const { status, journal } = await run({
      path: temporaryFolder(),
      header: header(2),
      signal: AbortSignal.abort(),
    });
    expect(status).toBe('interrupted');
    expect(order(journal)).toBe('run');
  });

  test('tells the trials that run, and does not take what they say then for their outcome', async () => {
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

  test('may have many trials at once without a warning of Node', async () => {
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

  test('in the middle of a replay can go on from there', async () => {
    const path = join(temporaryFolder(), 'run');
    const undisturbed = await run({ path, header: header(3) });
    rmSync(join(path, 'snapshot.json'));
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

  test('by an error of the strategy stops its trials, gives the lock back and can go on', async () => {
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
