import { describe, expect, test } from 'vitest';
import type { Estimator, SearchAtWork } from '../../src/runs/estimator.js';
import { runIdOf } from '../../src/runs/run-id.js';
import { header, journalIn, NotingStrategy, order, run } from './short-search.js';
import { temporaryFolder } from './temporary-folder.js';

/** Measures half of a hundredth of the trial, and hands in other outcomes where `late` says so, before the trial's own. */
class Repeating implements Estimator {
  search: SearchAtWork | undefined;
  readonly forgotten: number[] = [];

  constructor(private readonly late: (trial: number) => readonly unknown[]) {}

  begin(search: SearchAtWork): void {
    this.search = search;
  }

  forget(trial: number): void {
    this.forgotten.push(trial);
  }

  estimate({ trial }: { readonly trial: number }) {
    for (const outcome of this.late(trial)) this.search?.late(trial, outcome);
    return { measures: { accuracy: trial / 200 }, cost: 3, clock: { attempt: 2 } };
  }
}

const search = (path: string, late: (trial: number) => readonly unknown[], trials = 3) => {
  const estimator = new Repeating(late);
  return run({ path, header: header(1, trials), strategy: new NotingStrategy(), estimator }).then(
    (ended) => ({ ...ended, estimator }),
  );
};

describe('an outcome of an attempt that had been given up', () => {
  test('leaves no trace where it is equal in what the seed determines', async () => {
    const path = temporaryFolder();
    const same = (trial: number) => [{ measures: { accuracy: trial / 200 }, clock: { worker: 'slow' } }];
    const { journal, estimator } = await search(path, same);
    expect(order(journal)).toBe('run ?0 !0 ?1 !1 ?2 !2 end');
    // What is kept elsewhere of a trial is of no use once its result is in the journal.
    expect(estimator.forgotten).toEqual([0, 1, 2]);
    expect(estimator.search?.id).toBe(runIdOf(path));
    expect(estimator.search?.folder).toBe(path);
  });

  test('is journaled after the accepted one where it differs, and changes nothing else', async () => {
    const path = temporaryFolder();
    const other = { measures: { accuracy: 0.75 }, clock: { worker: 'slow' } };
    const { journal, messages, state } = await search(path, (trial) => (trial === 1 ? [other, 'none'] : []));
    const differences = journal.filter(({ event }) => event === 'difference');
    expect(differences).toEqual([
      { event: 'difference', trial: 1, outcome: { status: 'ok', measures: { accuracy: 0.75 } } },
      { event: 'difference', trial: 1, outcome: { status: 'failed', reason: 'the outcome is none' } },
    ]);
    expect(order(journal)).toBe('run ?0 !0 ?1 !1 * * ?2 !2 end');
    expect(messages).toEqual(
      Array(2).fill(
        'trial 1: an attempt that had been given up came to something else; the journal has both',
      ),
    );
    expect(state.differences).toEqual([1, 1]);
    expect(state.best).toMatchObject({ trial: 2, value: 0.01 });

    // A search that goes on takes them from the journal.
    const resumed = await run({
      ...{ path, header: header(1, 3), strategy: new NotingStrategy(), estimator: new Repeating(() => []) },
      amend: { trials: 4 },
    });
    expect(resumed.journal.slice(0, journal.length)).toEqual(journal);
    expect(resumed.state.told).toBe(4);

    // One that repeats it has its own.
    const again = temporaryFolder();
    await run({
      ...{ path: again, header: header(1, 3), strategy: new NotingStrategy() },
      ...{ estimator: new Repeating(() => []), follow: journal },
    });
    expect(journalIn(again)).toEqual(journal.filter(({ event }) => event !== 'difference'));
  });
});

test('a search whose estimator cannot go on ends with its error, and what is out has no result', async () => {
  const path = temporaryFolder();
  const ending: Estimator = {
    begin: (search) => {
      setTimeout(() => search.fail(new Error('another process coordinates this run now')), 10);
    },
    estimate: () => new Promise(() => {}),
  };
  await expect(
    run({ path, header: header(2), strategy: new NotingStrategy(), estimator: ending }),
  ).rejects.toThrow('another process coordinates this run now');
  expect(order(journalIn(path))).toBe('run ?0 ?1');
});
