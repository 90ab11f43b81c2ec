import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addSearch } from '../../src/cli/search.js';
import { addShow } from '../../src/cli/show.js';
import { addStatus } from '../../src/cli/status.js';
import { dataForms } from '../../src/cli/task-flags.js';
import { journalOf } from './command.js';
import { writeEstimator } from './own-parts.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();

const search = (estimator: string, out: string, ...more: string[]) => [
  ...['search', '--space', 'nasbench201', '--strategy', 'random', '--estimator', `./${estimator}.ts`],
  ...['--out', out, '--workers', '2', ...more],
];
const searched = async (...args: Parameters<typeof search>) =>
  JSON.parse(await printed(addSearch, [...search(...args), '--json']));
const eventsOf = (out: string) => journalOf(join(folder, out)).map((line) => JSON.parse(line));

beforeAll(() => {
  process.chdir(folder);
  writeEstimator('free.ts');
  writeEstimator('paid.ts', { costUnit: 'coins' });
  writeEstimator('slow.ts', { seconds: '0.05' });
});

describe('the budget of a search', () => {
  it('is 100 trials by default', async () => {
    const summary = await searched('free', 'default');
    expect(summary).toMatchObject({ trials: 100, done: 100, status: 'finished', cost: null });
  });

  it('in the unit of the estimator: no trial begins once it is spent', async () => {
    // 2 coins a trial: at 9 coins or more no other begins, and the one that is running comes to its end.
    const summary = await searched('paid', 'cost', '--cost', '9');
    expect(summary).toMatchObject({ status: 'finished', trials: null, done: 6 });
    expect(summary.cost).toEqual({ amount: 12, unit: 'coins' });
    expect(eventsOf('cost')[0]).not.toHaveProperty('trials');
    const status = JSON.parse(await printed(addStatus, ['status', 'cost', '--json']));
    expect(status).toMatchObject({ trials: null, cost: { spent: 12, budget: 9, unit: 'coins' } });
    expect(await printed(addStatus, ['status', 'cost'])).toMatch(/finished: 6 children, 0 failed/);
    expect(await printed(addShow, ['show', 'cost'])).toMatch(
      /finished, 6 children\n(.*\n)* {2}cost 12 coins\n/,
    );
  });

  it('in seconds: no trial begins after them, which the journal says, and a repetition does as it says', async () => {
    const begun = performance.now();
    const summary = await searched('slow', 'time', '--time', '0.5');
    expect((performance.now() - begun) / 1000).toBeGreaterThan(0.5);
    expect(summary).toMatchObject({ status: 'finished', trials: null });
    // Two at a time, 50 ms each; at least the first two.
    expect(summary.done).toBeGreaterThanOrEqual(2);
    expect(summary.done).toBeLessThanOrEqual(24);
    const events = eventsOf('time');
    expect(events.filter(({ event }) => event === 'limit')).toEqual([{ event: 'limit', limit: 'seconds' }]);
    const limit = events.findIndex(({ event }) => event === 'limit');
    expect(events.slice(limit).some(({ event }) => event === 'trial')).toBe(false);
    const status = JSON.parse(await printed(addStatus, ['status', 'time', '--json']));
    expect(status.seconds.budget).toBe(0.5);
    expect(status.seconds.spent).toBeGreaterThanOrEqual(0.5);
    const again = JSON.parse(await printed(addReproduce, ['reproduce', 'time', '--json']));
    expect(again).toMatchObject({ equal: true, lines: events.length });
  });

  it('is whichever of several is spent first', async () => {
    expect(
      await searched('paid', 'three', '--trials', '3', '--cost', '1000', '--time', '1000'),
    ).toMatchObject({
      done: 3,
      cost: { amount: 6 },
    });
    expect(await searched('paid', 'four', '--trials', '1000', '--cost', '7')).toMatchObject({ done: 5 });
  });
});

describe('a search is refused', () => {
  it.each([
    [
      'a cost that nobody counts',
      ['--cost', '5'],
      'cost 5: estimator ./free.ts does not say what a trial costs',
    ],
    [
      'a cost of nothing',
      ['--cost', '0'],
      "'--cost <amount>' argument '0' is invalid. Allowed: a number above 0.",
    ],
    ['no time', ['--time', '-3'], "'--time <seconds>' argument '-3' is invalid. Allowed: a number above 0."],
    ['the settings of another part', ['--set', 'momentum=0.5'], '--set momentum: there is no such option; '],
  ])('with %s', async (_, flags, message) => {
    expect(await refusal(addSearch, search('free', 'refused', ...flags))).toContain(message);
    expect(existsSync('refused')).toBe(false);
  });

  it.each([
    ['--data', 'mnist'],
    ['--task', 'image-classification'],
    ['--limit', '10'],
    ['--validation', '10'],
    ['--image-size', '32'],
    ['--epochs', '2'],
    ['--batch-size', '8'],
    ['--threads', '2'],
    ['--timeout', '5'],
    ['--device', 'cpu'],
  ])('with %s %s of trainings, by an estimator that trains nothing', async (flag, value) => {
    expect(await refusal(addSearch, search('free', 'refused', flag, value))).toBe(
      `${flag} ${value}: estimator ./free.ts trains no networks; its own options are set with --set`,
    );
    expect(existsSync('refused')).toBe(false);
  });

  it('without data, where networks are trained', async () => {
    const args = ['search', '--space', 'nasbench201', '--out', 'refused', '--strategy'];
    for (const strategy of ['random', 'darts'])
      expect(await refusal(addSearch, [...args, strategy])).toBe(
        `--data is missing: the search trains networks (training); allowed: ${dataForms}`,
      );
    expect(existsSync('refused')).toBe(false);
  });
});
