import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addCompare } from '../../src/cli/compare.js';
import { addExport } from '../../src/cli/export.js';
import { addInspect } from '../../src/cli/inspect.js';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addSearch } from '../../src/cli/search.js';
import { addShow } from '../../src/cli/show.js';
import { addStatus } from '../../src/cli/status.js';
import { journalOf, journalReaches, kill, run, start } from '../cli/command.js';
import { changeExample, copyExamples } from '../cli/own-parts.js';
import { printed } from '../cli/printed.js';
import { suiteFolder } from '../cli/suite-folder.js';

const folder = suiteFolder();
const TRIALS = 30;

const search = (estimator: string, out: string, ...more: string[]) => [
  ...['search', '--space', 'nasbench201', '--strategy', './own-strategy.ts', '--estimator', estimator],
  ...['--trials', String(TRIALS), '--seed', '1', '--workers', '2', '--out', out, ...more],
];

/** What the operations of a cell are worth by the formula of own-estimator.ts, without its noise. */
const WORTH: Record<string, number> = {
  none: 0,
  skip_connect: 0.4,
  avg_pool_3x3: 0.3,
  nor_conv_1x1: 0.8,
  nor_conv_3x3: 1,
};
const operationsOf = (cell: string) => [...cell.matchAll(/([a-z]\w*)~/g)].map(([, name]) => name as string);

interface Result {
  readonly trial: number;
  readonly measures: { readonly accuracy: number };
  readonly cost: number;
}

describe('a strategy and an estimator of your own', () => {
  let summary: {
    cost: { amount: number; unit: string };
    best: { trial: number; accuracy: number; architecture: { cell: string } };
  };
  let results: Result[];

  beforeAll(async () => {
    process.chdir(folder);
    copyExamples(folder, 'own-strategy.ts', 'own-estimator.ts');
    summary = JSON.parse(await printed(addSearch, search('./own-estimator.ts', 'run', '--json')));
    results = journalOf('run')
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'result');
  });

  it('search: the measures are those of the formula, and the best of them is the result', () => {
    const best = results.reduce((one, other) =>
      other.measures.accuracy > one.measures.accuracy ? other : one,
    );
    expect(summary).toMatchObject({
      status: 'finished',
      trials: TRIALS,
      done: TRIALS,
      measure: 'accuracy',
      cost: { amount: results.reduce((sum, { cost }) => sum + cost, 0), unit: 'simulated seconds' },
      best: { trial: best.trial, accuracy: best.measures.accuracy },
    });
    const operations = operationsOf(summary.best.architecture.cell);
    expect(operations).toHaveLength(6);
    const mean = operations.reduce((sum, name) => sum + WORTH[name]!, 0) / 6;
    expect(Math.abs(summary.best.accuracy - (0.1 + 0.8 * mean))).toBeLessThan(0.05);
    // Drawn at random the mean would be that of the five worths; hill climbing comes to better ones.
    const half = results.slice(TRIALS / 2);
    const average = half.reduce((sum, { measures }) => sum + measures.accuracy, 0) / half.length;
    expect(average).toBeGreaterThan(0.1 + 0.8 * 0.5);
  });

  it('status and show', async () => {
    expect(JSON.parse(await printed(addStatus, ['status', 'run', '--json']))).toMatchObject({
      status: 'finished',
      space: 'nasbench201',
      strategy: './own-strategy.ts',
      estimator: './own-estimator.ts',
      data: null,
      order: 'virtual',
      told: TRIALS,
      failed: 0,
      outstanding: [],
      best: { trial: summary.best.trial, accuracy: summary.best.accuracy },
    });
    expect(await printed(addStatus, ['status', 'run'])).toBe(
      'run: own-strategy on nasbench201 with estimator own-estimator, finished: 30 of 30 children, 0 failed, ' +
        `best accuracy ${(100 * summary.best.accuracy).toFixed(2)}% (child ${summary.best.trial + 1})\n` +
        '  3 children have the architecture of an earlier one and were trained all the same\n',
    );
    expect(JSON.parse(await printed(addShow, ['show', 'run', '--json']))).toEqual(summary);
    expect(existsSync(join('run', 'report.html'))).toBe(true);
  });

  it('reproduce', async () => {
    const again = JSON.parse(await printed(addReproduce, ['reproduce', 'run', '--json']));
    expect(again).toMatchObject({ equal: true, lines: 2 * TRIALS + 2, finished: true, environment: [] });
  });

  it('compare', async () => {
    const { comparisons } = JSON.parse(
      await printed(addCompare, ['compare', 'run', '--out', 'page.html', '--json']),
    );
    expect(comparisons).toMatchObject([
      {
        measure: 'validation accuracy',
        space: 'nasbench201',
        data: 'own-estimator',
        methods: [
          {
            name: 'own-strategy',
            n: 1,
            mean: summary.best.accuracy,
            budget: summary.cost,
          },
        ],
      },
    ]);
    expect(existsSync('page.html')).toBe(true);
  });

  it('inspect and export of what it found', async () => {
    const inspected = JSON.parse(await printed(addInspect, ['inspect', 'run', '--json']));
    expect(inspected).toMatchObject({ space: 'nasbench201', architecture: summary.best.architecture });
    expect(inspected.params).toBeGreaterThan(10_000);
    const svg = await printed(addExport, ['export', 'run', '--format', 'svg']);
    expect(svg).toBe(readFileSync(join('run', 'best.svg'), 'utf8'));
    for (const operation of operationsOf(summary.best.architecture.cell)) expect(svg).toContain(operation);
  });

  it('killed with -9 in the middle and resumed have the same journal', async () => {
    changeExample('own-estimator.ts', 'setTimeout(5)', 'setTimeout(60)', 'slow-estimator.ts');
    const { child, ended } = start(search('./slow-estimator.ts', 'killed'), folder);
    await journalReaches('killed', TRIALS, child);
    kill(child);
    expect((await ended).signal).toBe('SIGKILL');
    const recorded = journalOf('killed').length;
    expect(recorded).toBeGreaterThanOrEqual(TRIALS - 1);
    expect(recorded).toBeLessThan(2 * TRIALS);

    const resumed = await run(['resume', 'killed', '--json'], folder);
    expect([resumed.code, resumed.stderr]).toEqual([
      0,
      expect.stringMatching(/^(.*\n)*killed: going on after 1\d of 30 children\n/),
    ]);
    // The header names the slow estimator; everything after it is the same.
    expect(journalOf('killed').slice(1)).toEqual(journalOf('run').slice(1));
    expect(JSON.parse(resumed.stdout).best).toMatchObject({ ...summary.best, picture: 'killed/best.svg' });
  });
});
