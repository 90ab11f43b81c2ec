import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { addReproduce } from '../../src/cli/reproduce.js';
import { journalOf, journalReaches, kill, run, start } from '../cli/command.js';
import { printed } from '../cli/printed.js';
import { suiteFolder } from '../cli/suite-folder.js';

const folder = suiteFolder();

/** Draws until something is better than the mean of all, then stays near it. No snapshot, no restore. */
const STRATEGY = `import { defineStrategy, Random } from 'espalier';
export default defineStrategy({
  name: 'ten-lines',
  create({ space, seed }) {
    const random = Random.of(seed, 'ten lines');
    const good: (readonly unknown[])[] = [];
    return {
      ask: () => ({ answers: good.length > 0 ? space.mutate(good.at(-1) as never, random) : space.sample(random) }),
      tell: ({ answers, outcome }) => void (outcome.status === 'ok' && outcome.value < 5 && good.push(answers)),
    };
  },
});
`;

/** How many of the answers are 0, in a measure of its own. */
const ESTIMATOR = `import { setTimeout } from 'node:timers/promises';
import { defineEstimator } from 'espalier';
export default defineEstimator({
  name: 'zeros',
  open: () => ({
    objectives: [{ name: 'rest', better: 'lower', least: 0 }],
    async estimate({ answers }) {
      await setTimeout(Number(process.env.WAIT_MS ?? 0));
      return { measures: { rest: answers.filter((answer) => answer !== 0).length } };
    },
  }),
});
`;

const search = (out: string) => [
  ...['search', '--space', 'nasbench201', '--strategy', './strategy.ts', '--estimator', './estimator.ts'],
  ...['--trials', '40', '--workers', '3', '--seed', '2', '--out', out],
];

describe('a strategy and an estimator of ten lines', () => {
  beforeAll(() => {
    process.chdir(folder);
    writeFileSync('strategy.ts', STRATEGY);
    writeFileSync('estimator.ts', ESTIMATOR);
  });

  it('are resumed by replay after they were killed, to the journal of a run that was left alone', async () => {
    for (const source of [STRATEGY, ESTIMATOR])
      expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(13);
    const { child, ended } = start(search('killed'), folder, { WAIT_MS: '50' });
    await journalReaches('killed', 40, child);
    kill(child);
    expect((await ended).signal).toBe('SIGKILL');
    const recorded = journalOf('killed');
    expect(recorded.length).toBeLessThan(81);

    const { code, stdout, stderr } = await run(['resume', 'killed', '--json'], folder);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/killed: going on after \d+ of 40 children\n/)]);
    const journal = journalOf('killed');
    expect(journal.slice(0, recorded.length)).toEqual(recorded);
    const { best, measure } = JSON.parse(stdout);
    const rests = journal
      .map((line) => JSON.parse(line))
      .flatMap(({ event, measures }) => (event === 'result' ? [measures.rest] : []));
    expect(rests).toHaveLength(40);
    expect([measure, best.rest]).toEqual(['rest', Math.min(...rests)]);

    // A run that was never killed.
    const again = JSON.parse(await printed(addReproduce, ['reproduce', 'killed', '--json']));
    expect(again).toMatchObject({ equal: true, lines: 82 });
  });
});
