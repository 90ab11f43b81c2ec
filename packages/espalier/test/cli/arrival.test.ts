import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addSearch } from '../../src/cli/search.js';
import { journalOf, journalReaches, kill, run, start } from './command.js';
import { writeEstimator } from './own-parts.js';
import { printed } from './printed.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();
const TRIALS = 12;

/** Two workers. The first trial takes longer than all others together. */
const search = (strategy: string, out: string, ...more: string[]) => [
  ...['search', '--space', 'nasbench201', '--strategy', strategy, '--estimator', './slow.ts', '--out', out],
  ...['--trials', String(TRIALS), '--workers', '2', ...more],
];

const linesOf = (out: string) => journalOf(join(folder, out)).map((line) => JSON.parse(line));
const told = (out: string) =>
  linesOf(out)
    .filter(({ event }) => event === 'result')
    .map(({ trial }) => trial);

beforeAll(() => {
  writeEstimator(join(folder, 'slow.ts'), { seconds: 'trial === 0 ? 1.5 : 0.02' });
  process.chdir(folder);
});

describe('a search that has use for each result', () => {
  it('is told them as they arrive, and is repeated in the order that it recorded', async () => {
    await printed(addSearch, search('random', 'arrival'));
    const [begin] = linesOf('arrival');
    expect(begin).toMatchObject({ order: 'arrival', workers: 2 });
    // While one worker measures trial 0, the other measures the rest.
    expect(told('arrival')).toEqual([...Array(TRIALS).keys()].slice(1).concat(0));

    const again = JSON.parse(await printed(addReproduce, ['reproduce', 'arrival', '--json']));
    expect(again).toMatchObject({ equal: true, finished: true, difference: null });
    expect(journalOf(join(folder, 'arrival-again'))).toEqual(journalOf(join(folder, 'arrival')));
  });

  it('with --deterministic is told them in virtual time, whatever they take', async () => {
    await printed(addSearch, search('random', 'deterministic', '--deterministic'));
    expect(linesOf('deterministic')[0]).toMatchObject({ order: 'virtual' });
    expect(told('deterministic')).toEqual([...Array(TRIALS).keys()]);
  });

  it.each([
    ['random', TRIALS],
    // 12 children, 4 of which go on once, and 1 of them twice.
    ['asha', 17],
  ])(
    'of %s, killed with -9 keeps what it has recorded, comes to its end when resumed, and is reproduced',
    async (strategy, trials) => {
      const out = `${strategy}-killed`;
      const more = strategy === 'asha' ? ['--set', 'eta=3', '--set', 'maxEpochs=9'] : [];
      const { child, ended } = start(search(strategy, out, ...more), folder);
      await journalReaches(join(folder, out), 10, child);
      kill(child);
      expect((await ended).signal).toBe('SIGKILL');
      const recorded = journalOf(join(folder, out));
      expect(recorded.length).toBeGreaterThan(8);

      const { code, stdout } = await run(['resume', out, '--json'], folder);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ status: 'finished', done: trials, failed: 0 });
      const journal = journalOf(join(folder, out));
      expect(journal.slice(0, recorded.length)).toEqual(recorded);
      expect(told(out).toSorted((a, b) => a - b)).toEqual([...Array(trials).keys()]);

      const again = JSON.parse(await printed(addReproduce, ['reproduce', out, '--json']));
      expect(again).toMatchObject({ equal: true, finished: true, lines: journal.length });
      expect(journalOf(join(folder, `${out}-again`))).toEqual(journal);
    },
  );
});
