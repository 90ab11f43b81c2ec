import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addBench } from '../../src/cli/bench.js';
import { addResume } from '../../src/cli/resume.js';
import { addStatus } from '../../src/cli/status.js';
import { gzipped, rowOf, tinyTable } from '../tables/tiny-table.js';
import { journalOf, journalReaches, kill, run, start } from './command.js';
import { copyExamples } from './own-parts.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();
writeFileSync(join(folder, 'cells.csv.gz'), gzipped());
process.chdir(folder);

const words = (out: string, strategies: string, ...more: string[]) => [
  ...['bench', '--space', 'nasbench201', '--set', 'space.nodes=3', '--table', 'cells.csv.gz'],
  ...['--strategy', strategies, '--budget', '2000', '--seed', '7', '--out', out, ...more],
];
/** The processes of a bench run the built program. */
async function bench(out: string, strategies: string, ...more: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(words(out, strategies, ...more), folder);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

describe('espalier bench', () => {
  it('prints an array of the strategies with percentages, and writes the regret', async () => {
    const results = JSON.parse(await bench('two', 'random,evolution', '--runs', '12', '--json'));
    expect(results).toMatchObject([
      { strategy: 'random', runs: 12, empty: 0, against: null },
      { strategy: 'evolution', runs: 12, against: { baseline: 'random', pairs: 12 } },
    ]);
    const finals = journalOf('two')
      .map((line) => JSON.parse(line))
      .filter(({ event, strategy }) => event === 'searched' && strategy === 'random')
      .map(({ improvements }) => improvements.at(-1)[2] as number);
    const mean = finals.reduce((sum, value) => sum + value, 0) / 12;
    expect(results[0].mean).toBeCloseTo(100 * mean, 10);
    const variance = finals.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 11;
    expect(results[0].std).toBeCloseTo(100 * Math.sqrt(variance), 10);
    const best = Math.max(...Array.from({ length: 125 }, (_, index) => rowOf(index).test)) / 100;
    expect(results[0].optimal).toBe(finals.filter((value) => value === best).length / 12);
    expect(results[0].seconds_a_run).toBeGreaterThan(0);
    const [header, first] = readFileSync('two/regret.csv', 'utf8').split('\n');
    expect(header).toBe('strategy,seconds,mean,deviation,quartile1,median,quartile3');
    expect(first).toMatch(/^random,\d/);
    const page = readFileSync('two/report.html', 'utf8');
    expect(page).toContain('Regret of accuracy');
    expect(page).toContain('data-series="evolution"');
  });

  it('has the same journal whatever the number of processes, which reproduce confirms', async () => {
    await bench('one', 'random,evolution', '--runs', '12', '--processes', '1', '--json');
    expect(journalOf('one')).toEqual(journalOf('two'));
    const again = JSON.parse((await run(['reproduce', 'one', '--json'], folder)).stdout);
    expect(again).toMatchObject({ equal: true, lines: 2 * 12 + 2 });
  });

  it('has the same journal if it is killed with -9 and resumed', async () => {
    const { child, ended } = start(words('killed', 'random,evolution', '--runs', '60'), folder);
    await journalReaches(join(folder, 'killed'), 12, child);
    kill(child);
    await ended;
    expect(JSON.parse(await printed(addStatus, ['status', 'killed', '--json']))).toMatchObject({
      status: 'stopped',
      of: 120,
    });
    expect((await run(['resume', 'killed', '--json'], folder)).code).toBe(0);
    await bench('whole', 'random,evolution', '--runs', '60', '--json');
    expect(journalOf('killed')).toEqual(journalOf('whole'));
  });

  it('compares several settings of one strategy, and several workers', async () => {
    const results = JSON.parse(
      await bench(
        'settings',
        'young=evolution,old=evolution,random',
        ...[
          '--set',
          'young.population=5',
          '--set',
          'young.sample=2',
          '--workers',
          '4',
          '--runs',
          '3',
          '--json',
        ],
      ),
    );
    expect(results.map(({ strategy }: { strategy: string }) => strategy)).toEqual(['young', 'old', 'random']);
    const [header] = journalOf('settings').map((line) => JSON.parse(line));
    expect(header.strategies[0].options).toEqual({ population: 5, sample: 2 });
    // Four at once do about four times as many trials as one in 2,000 seconds.
    expect(results[2].trials).toBeGreaterThan(60);
  });

  it('has strategies of several numbers of epochs see the column of theirs', async () => {
    const fidelities = ['--set', 'asha.minEpochs=12', '--set', 'asha.maxEpochs=200', '--set', 'asha.eta=20'];
    const results = JSON.parse(await bench('rungs', 'asha', '--runs', '3', ...fidelities, '--json'));
    expect(results[0].trials).toBeGreaterThan(2);
  });

  it('takes a strategy of your own, keeps its code, and does not go on with another', async () => {
    copyExamples(folder, 'own-strategy.ts');
    const { child, ended } = start(words('own', './own-strategy.ts,random', '--runs', '60'), folder);
    await journalReaches(join(folder, 'own'), 12, child);
    kill(child);
    await ended;
    expect(readdirSync('own/code', { recursive: true }).join()).toMatch(/own-strategy\.ts/);
    appendFileSync('own-strategy.ts', '\n// edited\n');
    const { code, stderr } = await run(['resume', 'own', '--trust', 'own-strategy.ts'], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(/the strategy's file .*own-strategy\.ts has changed since the run was begun/);
    expect(journalOf('own').length).toBeLessThan(122);
  });

  it('does not go on with another table', async () => {
    writeFileSync('other.csv.gz', gzipped());
    await bench('table', 'random', '--table', 'other.csv.gz', '--runs', '1');
    writeFileSync('other.csv.gz', tinyTable());
    expect(await refusal(addResume, ['resume', 'table', '--data', 'mnist'])).toMatch(
      /--data mnist: a bench trains nothing/,
    );
    expect(await refusal(addResume, ['resume', 'table'])).toMatch(/the table other\.csv\.gz has changed/);
  });

  it.each<[string, string[], RegExp]>([
    ['a strategy that shares weights', words('x', 'darts'), /strategy darts trains one supernet/],
    ['a strategy twice', words('x', 'random,random'), /strategy random is there twice/],
    ['a setting of nobody', words('x', 'random', '--set', 'unique=false'), /--set unique: .*random\.OPTION/],
    ['epochs that the table lacks', words('x', 'asha'), /a trial ends after \d+ epochs; allowed: 12, 200/],
    ['an unknown preset', words('x', 'random', '--preset', 'tiny'), /--preset 'tiny': allowed: small/],
  ])('refuses %s and writes nothing', async (_, args, message) => {
    expect(await refusal(addBench, args)).toMatch(message);
    expect(existsSync('x')).toBe(false);
  });
});
