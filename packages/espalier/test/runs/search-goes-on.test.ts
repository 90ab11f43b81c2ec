import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';
import type { TrialRequest } from '../../src/runs/estimator.js';
import type { SearchNotice } from '../../src/runs/search.js';
import type { TrialResult } from '../../src/strategies/strategy.js';
import { LearningStrategy } from './learning-strategy.js';
import { measure } from './measure.js';
import { estimating, header, linesIn, NotingStrategy, order, run } from './short-search.js';
import { temporaryFolder } from './temporary-folder.js';

// These tests cut or kill hundreds of runs, but simulate no power failure, so nothing has to wait for the disk.
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  fsyncSync: () => {},
}));

/** Measures trials and notes their numbers. */
function noting() {
  const measured: number[] = [];
  const estimator = estimating(async (request) => {
    measured.push(request.trial);
    return measure(request);
  });
  return { measured, estimator };
}

/** Whether a notice reports the new result of a trial. */
const isResultOf = (notice: SearchNotice, trial: number) =>
  notice.kind === 'event' && notice.event.event === 'result' && notice.event.trial === trial;

describe('a resumed run', () => {
  test.each([1, 3])(
    'ends like an undisturbed one after a cut at any line or within it, with %i workers',
    async (workers) => {
      // The snapshot on disk when each line was written: the one after the line may or may not have been taken.
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
      const lines = linesIn(path);
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
          expect(linesIn(cut).slice(0, kept)).toEqual(lines.slice(0, kept));
          expect(status).toBe('finished');
          expect(notices.some(({ kind }) => kind === 'restored')).toBe(snapshot !== undefined);
          expect(messages.some((text) => text.includes('cut in mid-write'))).toBe(
            torn !== '' && torn !== next,
          );
          rmSync(cut, { recursive: true });
        }
      }
    },
  );

  test('does not measure again what the journal or a kept outcome has', async () => {
    const path = join(temporaryFolder(), 'run');
    const undisturbed = await run({ path: temporaryFolder(), header: header(3) });
    const stop = new AbortController();
    // Trial 4 never ends in the first life. Those after it do, and wait for it.
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
    // Trial 0 was told at once, so it needs no file. The others ended before their predecessors were told.
    expect(readdirSync(join(path, 'trials')).sort()).toEqual(['1', '2', '3', '5', '6']);
    const { measured, estimator } = noting();
    const { journal } = await run({ path, header: header(3), estimator });
    expect(journal).toEqual(undisturbed.journal);
    expect(measured).toEqual([4, 7, 8, 9, 10, 11]);
  });

  test.each([
    [
      'of another architecture',
      (text: string) => text.replace(/"answers":\[\d+/, '"answers":[9999'),
      /is of another/,
    ],
    ['of another seed', (text: string) => text.replace(/"seed":\d+/, '"seed":1'), /is of another/],
    ['that is cut short', (text: string) => text.slice(0, 30), /cannot be read/],
    [
      'without a status',
      (text: string) => text.replace(/"status":"\w+"/, '"status":"great"'),
      /cannot be read/,
    ],
    [
      'that is out of range',
      (text: string) => text.replace(/"outcome":.*/, '"outcome":{"status":"ok","measures":{"accuracy":2}}}'),
      /cannot be read \(the accuracy is 2; allowed: 0 to 1\)/,
    ],
  ])('does not use a kept outcome %s', async (_, change, message) => {
    const path = join(temporaryFolder(), 'run');
    const stop = new AbortController();
    await run({
      path,
      header: header(3, 3),
      signal: stop.signal,
      estimator: estimating(async (request) => {
        if (request.trial === 0) return new Promise(() => {});
        setTimeout(() => stop.abort(), 5);
        return measure(request);
      }),
    });
    const result = join(path, 'trials', '2', 'result.json');
    writeFileSync(result, change(readFileSync(result, 'utf8')));
    const { measured, estimator } = noting();
    const again = await run({ path, header: header(3, 3), estimator });
    expect(again.journal).toEqual((await run({ path: temporaryFolder(), header: header(3, 3) })).journal);
    expect(measured).toEqual([0, 2]);
    expect(again.messages).toEqual([expect.stringMatching(message)]);
    expect(again.messages[0]).toContain('; trial 2 is measured again');
  });

  test.each([
    [
      'damaged',
      (file: string) => writeFileSync(file, readFileSync(file, 'utf8').replace('average', 'averige')),
      /no snapshot to resume from \(its content/,
    ],
    ['missing', (file: string) => rmSync(file), /no snapshot to resume from \(there is none\)/],
    [
      'cut',
      (file: string) => writeFileSync(file, readFileSync(file, 'utf8').slice(0, 99)),
      /no snapshot to resume from \(/,
    ],
  ])('replays the journal if the snapshot is %s', async (_, damage, message) => {
    const path = join(temporaryFolder(), 'run');
    const stop = new AbortController();
    const stopping = (notice: SearchNotice) => {
      if (isResultOf(notice, 6)) stop.abort();
    };
    await run({ path, header: header(3), signal: stop.signal, report: stopping });
    damage(join(path, 'snapshot.json'));
    rmSync(join(path, 'trials'), { recursive: true, force: true });
    const { measured, estimator } = noting();
    const { journal, messages, notices } = await run({ path, header: header(3), estimator });
    expect(measured).toEqual([7, 8, 9, 10, 11]);
    expect(messages).toEqual([expect.stringMatching(message)]);
    expect(notices.filter((notice) => notice.kind === 'event' && notice.replayed).length).toBeGreaterThan(10);
    expect(journal).toEqual((await run({ path: temporaryFolder(), header: header(3) })).journal);
  });

  test('replays the journal if the snapshot belongs to another run', async () => {
    const [path, other] = [join(temporaryFolder(), 'run'), join(temporaryFolder(), 'run')];
    const { journal } = await run({ path, header: header(2) });
    await run({ path: other, header: { ...header(2), seed: 12 }, snapshotEvery: 3 });
    copyFileSync(join(other, 'snapshot.json'), join(path, 'snapshot.json'));
    const again = await run({ path, header: header(2) });
    expect(again.messages).toEqual([expect.stringMatching(/the snapshot belongs to another journal/)]);
    expect(again.journal).toEqual(journal);
  });

  test('replays the journal without a word if its strategy takes no snapshots', async () => {
    /** Learns like the strategy that it wraps, from results alone. */
    class WithoutSnapshots {
      readonly inner = new LearningStrategy();
      ask = () => this.inner.ask();
      tell = (result: TrialResult) => this.inner.tell(result);
    }
    const undisturbed = await run({ path: temporaryFolder(), header: header(3) });
    const path = join(temporaryFolder(), 'run');
    const stop = new AbortController();
    const stopping = (notice: SearchNotice) => {
      if (isResultOf(notice, 6)) stop.abort();
    };
    const begun = {
      path,
      header: header(3),
      strategy: new WithoutSnapshots(),
      signal: stop.signal,
      snapshotEvery: 1,
    };
    expect((await run({ ...begun, report: stopping })).status).toBe('interrupted');
    expect(existsSync(join(path, 'snapshot.json'))).toBe(false);
    const strategy = new WithoutSnapshots();
    const { measured, estimator } = noting();
    const { journal, messages, notices } = await run({ path, header: header(3), strategy, estimator });
    expect(journal).toEqual(undisturbed.journal);
    expect(messages).toEqual([]);
    expect(notices.some(({ kind }) => kind === 'restored')).toBe(false);
    expect(measured.filter((trial) => trial <= 6)).toEqual([]);
    const learned = new LearningStrategy();
    await run({ path: temporaryFolder(), header: header(3), strategy: learned });
    expect(strategy.inner.snapshot()).toEqual(learned.snapshot());
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
    await run({ path, header: header(1, 2), strategy: new NotingStrategy(), snapshotEvery: 1 });
    await expect(
      run({ path, header: header(1, 2), strategy: new Picky(), strategyName: 'noting' }),
    ).rejects.toThrow(
      new InputError(
        `${join(path, 'snapshot.json')}: the strategy noting cannot resume from this snapshot: ` +
          'no controller in it. Delete the file to replay the journal instead',
      ),
    );
  });
});
