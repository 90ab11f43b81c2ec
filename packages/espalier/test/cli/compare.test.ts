import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addCompare } from '../../src/cli/compare.js';
import { searchEvents, writeRun } from '../reports/journals.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();
const page = join(folder, 'page.html');
const runOf = (strategy: string, seed: number, accuracies: readonly number[]) =>
  writeRun(
    join(folder, `${strategy}-${seed}`),
    searchEvents({ strategy, seed, children: accuracies.map((one) => [one]) }),
  );
const paths = [
  runOf('random', 1, [0.25, 0.5]),
  runOf('random', 2, [0.75, 0.5]),
  runOf('reinforce', 1, [0.5, 0.625]),
  runOf('reinforce', 2, [0.5, 0.875]),
];

describe('espalier compare', () => {
  it('prints a table and the differences to random search, and writes the page', async () => {
    const text = await printed(addCompare, ['compare', ...paths, '--out', page]);
    expect(text.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
      'validation accuracy, zoph-cnn on mnist',
      'method | seeds | mean | deviation | best | worst | 95% interval | CPU hours',
      'random | 2 | 62.50% | 17.68% | 75.00% | 50.00% | 50.00% to 75.00% | 2.00',
      'reinforce | 2 | 75.00% | 17.68% | 87.50% | 62.50% | 62.50% to 87.50% | 2.00',
      '',
      'difference | mean | 95% interval | p | test',
      'reinforce - random | +12.50% | 12.50% to 12.50% | 0.5000 | 2 pairs, exact',
      '',
      `report ${page}`,
      '',
    ]);
    expect(existsSync(page)).toBe(true);
  });

  it('says with --json all of it as one value', async () => {
    const json = JSON.parse(await printed(addCompare, ['compare', ...paths, '--out', page, '--json']));
    expect(json.comparisons).toHaveLength(1);
    expect(json.comparisons[0]).toMatchObject({
      measure: 'validation accuracy',
      better: 'higher',
      notes: [],
      methods: [
        {
          name: 'random',
          n: 2,
          mean: 0.625,
          interval: { low: 0.5, high: 0.75 },
          device: 'CPU',
          hours: 2,
          budget: { amount: 2, unit: 'epochs' },
          against: null,
          runs: [
            { run: paths[0], seed: '1', value: 0.5, hours: 2 },
            { run: paths[1], seed: '2', value: 0.75, hours: 2 },
          ],
        },
        { against: { baseline: 'random', difference: 0.125, pairs: 2, test: { p: 0.5, exact: true } } },
      ],
    });
  });

  it('takes a folder that is named twice once', async () => {
    const [first] = paths as [string];
    const text = await printed(addCompare, ['compare', first, first, '--out', page]);
    expect(text).toMatch(/^random +1 /m);
  });

  it('refuses a folder without a run, none at all, and a page that cannot be written', async () => {
    expect(await refusal(addCompare, ['compare', join(folder, 'nowhere')])).toBe(
      `${join(folder, 'nowhere')}: no such folder; a run folder was expected`,
    );
    expect(await refusal(addCompare, ['compare'])).toMatch(/missing required argument 'folder'/);
    const out = join(folder, 'nowhere', 'page.html');
    expect(await refusal(addCompare, ['compare', ...paths, '--out', out])).toMatch(
      `--out ${out}: cannot be written: no such file or directory`,
    );
  });
});
