import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addResume } from '../../src/cli/resume.js';
import { addSearch } from '../../src/cli/search.js';
import { cells, gzipped, rowOf } from '../tables/tiny-table.js';
import { journalOf } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();
const data = `cifar10:${writeTinyCifar10(join(folder, 'cifar'))}`;
process.chdir(folder);
writeFileSync('cells.csv.gz', gzipped());

const words = (out: string, strategy: string, ...more: string[]) => [
  ...['search', '--space', 'nasbench201', '--strategy', strategy, '--data', data, '--table', 'cells.csv.gz'],
  ...[
    '--set',
    'nodes=3',
    '--cells',
    '1',
    '--channels',
    '2',
    '--limit',
    '40',
    '--epochs',
    '2',
    '--threads',
    '1',
  ],
  ...['--batch-size', '10', '--seed', '2', '--out', out, '--json', ...more],
];
const worth = ({ architecture }: { architecture: { cell: string } }) =>
  rowOf(cells.indexOf(architecture.cell)).test / 100;

describe('a search with shared weights and a table', () => {
  it('journals what the cells of each epoch and those found are worth, which the page plots', async () => {
    await printed(addSearch, words('darts', 'darts'));
    const events = journalOf('darts').map((line) => JSON.parse(line));
    const [{ table }] = events;
    expect(table).toMatchObject({ file: 'cells.csv.gz', objectives: [{ name: 'accuracy' }] });
    const judged = events.filter(({ judged }) => judged !== undefined);
    expect(judged.map(({ event }) => event)).toEqual(['epoch', 'epoch', 'end']);
    for (const event of judged) expect(event.judged).toBe(worth(event));
    expect(readFileSync('darts/report.html', 'utf8')).toContain('What the cells of each epoch are worth');
    const again = JSON.parse(await printed(addReproduce, ['reproduce', 'darts', '--json']));
    expect(again).toMatchObject({ equal: true });
  });

  it('judges what random search with shared weights picks', async () => {
    await printed(addSearch, words('random', 'random-ws', '--set', 'candidates=4', '--set', 'finalists=2'));
    const end = JSON.parse(journalOf('random').at(-1) as string);
    expect(end.judged).toBe(worth(end));
  });

  it('does not go on with another table', async () => {
    writeFileSync('cells.csv.gz', gzipped().subarray(0, -4));
    expect(await refusal(addResume, ['resume', 'darts'])).toMatch(/the gzipped file is broken/);
    writeFileSync('cells.csv.gz', 'arch\n');
    expect(await refusal(addSearch, words('x', 'darts'))).toMatch(/table .*cells\.csv\.gz: has no rows/);
    expect(existsSync('x')).toBe(false);
  });
});
