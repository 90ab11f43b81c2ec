import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addSearch } from '../../src/cli/search.js';
import { cells, gzipped, rowOf } from '../tables/tiny-table.js';
import { journalOf } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();
process.chdir(folder);
writeFileSync('cells.csv.gz', gzipped());

const words = (out: string, strategy: string, ...more: string[]) => [
  ...[
    'search',
    '--space',
    'nasbench201',
    '--set',
    'nodes=3',
    '--table',
    'cells.csv.gz',
    '--strategy',
    strategy,
  ],
  ...['--seed', '3', '--workers', '1', '--out', out, ...more],
];
const search = async (...args: Parameters<typeof words>) =>
  JSON.parse(await printed(addSearch, [...words(...args), '--json']));
const trialsOf = (out: string) =>
  journalOf(out)
    .map((line) => JSON.parse(line))
    .filter(({ event }) => event === 'trial')
    .map(({ answers }) => String(answers));

describe('espalier search with a table', () => {
  it('looks trials up, and ends when the simulated seconds are spent', async () => {
    const found = await search('cost', 'random', '--cost', '1500');
    const results = journalOf('cost')
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'result');
    const spent = results.reduce((sum, { cost }) => sum + cost, 0);
    expect(spent).toBeGreaterThanOrEqual(1500);
    expect(spent - results.at(-1).cost).toBeLessThan(1500);
    expect(found.best.accuracy).toBe(Math.max(...results.map(({ measures }) => measures.accuracy)));
    const again = JSON.parse(await printed(addReproduce, ['reproduce', 'cost', '--json']));
    expect(again).toMatchObject({ equal: true });
  });

  it('tries the architectures of a file and of a run first', async () => {
    writeFileSync(
      'two.jsonl',
      `${JSON.stringify({ cell: cells[7] })}\n${JSON.stringify({ cell: cells[19] })}\n`,
    );
    writeFileSync('one.txt', `${cells[3]}\n`);
    await search(
      'warm',
      'evolution',
      '--trials',
      '5',
      ...['two.jsonl', 'one.txt', 'cost'].flatMap((one) => ['--enqueue', one]),
    );
    const results = journalOf('warm')
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'result');
    expect(results.slice(0, 3).map(({ measures }) => measures.accuracy)).toEqual(
      [7, 19, 3].map((index) => rowOf(index).brief / 100),
    );
    expect(trialsOf('warm')).toHaveLength(5);
  });

  it('tries nothing twice if asked to, whatever the strategy', async () => {
    const options = ['--set', 'population=4', '--set', 'sample=4', '--trials', '60'];
    await search('twice', 'evolution', ...options);
    expect(new Set(trialsOf('twice')).size).toBeLessThan(60);
    await search('distinct', 'evolution', ...options, '--distinct');
    expect(new Set(trialsOf('distinct')).size).toBe(60);
  });

  it.each<[string, string[], RegExp]>([
    [
      'an architecture of another space',
      ['--enqueue', 'other.json'],
      /--enqueue other\.json: .*of space 'darts-cnn', not nasbench201/,
    ],
    ['a line that is no architecture', ['--enqueue', 'lines.jsonl'], /--enqueue lines\.jsonl:2: .*'cell'/],
    [
      'an estimator besides',
      ['--estimator', 'training'],
      /--table cells\.csv\.gz: is an estimator of its own/,
    ],
  ])('refuses %s', async (_, more, message) => {
    const edges = Array(8).fill(['skip_connect', 0]);
    writeFileSync(
      'other.json',
      JSON.stringify({
        space: 'darts-cnn',
        normal: edges,
        normal_concat: [2, 3, 4, 5],
        reduce: edges,
        reduce_concat: [2, 3, 4, 5],
      }),
    );
    writeFileSync('lines.jsonl', `${JSON.stringify({ cell: cells[7] })}\n{"cell": "|none~0|"}\n`);
    expect(await refusal(addSearch, words('x', 'random', ...more))).toMatch(message);
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });
});
