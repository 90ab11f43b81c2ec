import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../src/runs/journal-event.js';
import { RunState } from '../../src/runs/run-state.js';
import { estimating, eventsIn, header, journalIn, linesIn, NotingStrategy, run } from './short-search.js';
import { temporaryFolder } from './temporary-folder.js';

/** Fails trials 1 and 2 until it is told that they can be measured. */
function failing() {
  const failed = new Set([1, 2]);
  const estimator = estimating(async (request) => {
    if (failed.has(request.trial)) throw new Error('out of memory');
    return { measures: { accuracy: request.trial / 10 } };
  });
  return { estimator, mend: () => failed.clear() };
}

const withoutEnds = (journal: readonly JournalEvent[]) =>
  journal.slice(1).filter(({ event }) => event !== 'end' && event !== 'amended');

/** Resumes the first lines of a journal in a new folder, with or without the snapshot. */
async function resumed(path: string, lines: number, options: Partial<Parameters<typeof run>[0]> = {}) {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'journal.jsonl'), linesIn(path).slice(0, lines).join(''));
  const snapshot = join(path, 'snapshot.json');
  if (existsSync(snapshot)) writeFileSync(join(folder, 'snapshot.json'), readFileSync(snapshot));
  await run({ path: folder, header: header(2, 4), ...options });
  return journalIn(folder);
}

describe('a search with more trials than it was begun with', () => {
  it('does what it would have done with them from the start', async () => {
    const path = temporaryFolder();
    await run({ path, header: header(1, 4) });
    const { status, state, journal } = await run({
      path,
      header: header(1, 4),
      amend: { trials: 7, timeoutSeconds: 9 },
    });
    expect([status, state.told, state.header.trials, state.timeoutSeconds]).toEqual(['finished', 7, 7, 9]);
    expect(journal.map(({ event }) => event).filter((event) => /end|amended/.test(event))).toEqual([
      'end',
      'amended',
      'end',
    ]);
    const straight = temporaryFolder();
    await run({ path: straight, header: header(1, 7) });
    expect(withoutEnds(journal)).toEqual(withoutEnds(journalIn(straight)));
  });

  it('goes on to the same journal from every line, and is repeated', async () => {
    const path = temporaryFolder();
    await run({ path, header: header(2, 4) });
    const { journal } = await run({ path, header: header(2, 4), amend: { trials: 7 }, snapshotEvery: 1 });
    const amended = journal.findIndex(({ event }) => event === 'amended');
    for (let lines = amended + 1; lines <= journal.length; lines++)
      expect(await resumed(path, lines), `${lines} lines`).toEqual(journal);
    rmSync(join(path, 'snapshot.json'));
    for (let lines = amended + 1; lines <= journal.length; lines++)
      expect(await resumed(path, lines), `${lines} lines, without a snapshot`).toEqual(journal);
    const again = temporaryFolder();
    await run({ path: again, header: header(2, 4), follow: eventsIn(path) });
    expect(journalIn(again)).toEqual(journal);
  });

  it('may be stopped in the middle, at any line, when its trials are changed', async () => {
    const path = temporaryFolder();
    const { journal } = await run({ path, header: header(2, 4) });
    for (let lines = 1; lines < journal.length; lines++) {
      const changed = await resumed(path, lines, { amend: { trials: 6 } });
      expect(
        changed.filter(({ event }) => event === 'amended'),
        `${lines} lines`,
      ).toEqual([{ event: 'amended', trials: 6 }]);
      expect(changed.filter(({ event }) => event === 'result').length).toBe(6);
      const folder = temporaryFolder();
      const text = changed.map((event) => `${JSON.stringify({ ...event, clock: {} })}\n`).join('');
      writeFileSync(join(folder, 'journal.jsonl'), text);
      await run({ path: folder, header: header(2, 4) });
      expect(journalIn(folder)).toEqual(changed);
    }
  });
});

describe('children that have failed', () => {
  it('are tried again when asked for, with their own seeds, and the strategy is not told twice', async () => {
    const path = temporaryFolder();
    const { estimator, mend } = failing();
    const first = await run({ path, header: header(2, 4), estimator, strategy: new NotingStrategy() });
    expect(first.state.failed).toBe(2);
    mend();
    const strategy = new NotingStrategy();
    const { state, journal } = await run({
      path,
      header: header(2, 4),
      estimator,
      strategy,
      amend: { retryFailed: true },
    });
    expect(strategy.told.map(({ trial, outcome: { status } }) => [trial, status])).toEqual([
      [0, 'ok'],
      [1, 'failed'],
      [2, 'failed'],
      [3, 'ok'],
    ]);
    expect([state.failed, state.done, state.told, state.finished]).toEqual([0, 4, 4, true]);
    const retried = journal.slice(journal.findIndex(({ event }) => event === 'amended'));
    expect(retried.map(({ event, trial, retry }) => [event, trial ?? retry])).toEqual([
      ['amended', [1, 2]],
      ['result', 1],
      ['result', 2],
      ['end', undefined],
    ]);
    const lives = journal.length - retried.length + 1;
    for (let lines = lives; lines <= journal.length; lines++)
      expect(
        await resumed(path, lines, { estimator, strategy: new NotingStrategy() }),
        `${lines} lines`,
      ).toEqual(journal);
  });

  it('are tried again only if they have failed', () => {
    const begin = { event: 'run', ...header(1, 1) } as unknown as JournalEvent;
    const state = new RunState(begin, 'journal');
    state.apply({ event: 'trial', trial: 0, answers: [0], seed: 1 });
    expect(() => state.apply({ event: 'amended', retry: [0] })).toThrow(
      'journal:3: trial 0 is to be tried again, but has not failed',
    );
  });
});
