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
import { measure } from './measure.js';
import { estimating, header, NotingStrategy, order, run } from './short-search.js';
import { temporaryFolder } from './temporary-folder.js';

// Hundreds of runs that are cut or killed, but never by a power failure: the disk need not be waited for.
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  fsyncSync: () => {},
}));

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
