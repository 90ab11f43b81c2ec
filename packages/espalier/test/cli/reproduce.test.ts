import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { journalOf, run } from './command.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();
writeTinyCifar10(join(folder, 'cifar'));
const data = 'cifar10:cifar';
const search = [
  ...['search', '--space', 'zoph-cnn', '--strategy', 'reinforce', '--data', data, '--out', 'search'],
  ...[
    '--layers',
    '2',
    '--set',
    'filters=[4,6]',
    '--set',
    'children=2',
    '--epochs',
    '1',
    '--batch-size',
    '32',
  ],
  ...['--trials', '4', '--workers', '2', '--seed', '5'],
];
const train = [
  ...['train', 'search', '--data', data, '--out', 'trained', '--epochs', '2', '--batch-size', '32'],
  ...['--threads', '1'],
];

/** A copy of a run with one line of its journal changed. */
function changed(name: string, copy: string, change: (lines: Record<string, never>[]) => void): void {
  cpSync(join(folder, name), join(folder, copy), { recursive: true });
  const file = join(folder, copy, 'journal.jsonl');
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  change(lines);
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

describe('espalier reproduce', () => {
  beforeAll(async () => {
    for (const command of [search, train]) expect((await run(command, folder)).code).toBe(0);
  }, 120_000);

  it('comes to the same search from any folder, since its paths begin where the run was begun', async () => {
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    const { code, stdout, stderr } = await run(['reproduce', '../search', '--json'], elsewhere);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('child 4 of 4') });
    expect(JSON.parse(stdout)).toMatchObject({
      again: join(folder, 'search-again'),
      equal: true,
      lines: 12,
      difference: null,
      weightsEqual: null,
      environment: [],
    });
    expect(journalOf(join(folder, 'search-again'))).toEqual(journalOf(join(folder, 'search')));
  }, 60_000);

  it('comes to the same training and weights', async () => {
    const { code, stdout } = await run(['reproduce', 'trained', '--out', 'second'], folder);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'second: the same 4 lines as trained\n  and the same weights\n',
    });
  }, 60_000);

  it('comes to the same search with shared weights', async () => {
    const darts = [
      ...['search', '--space', 'darts-cnn', '--strategy', 'darts', '--data', data, '--out', 'darts'],
      ...['--channels', '2', '--layers', '3', '--limit', '40', '--epochs', '1', '--batch-size', '16'],
      ...['--set', 'order=1', '--threads', '1'],
    ];
    expect((await run(darts, folder)).code).toBe(0);
    const { code, stdout } = await run(['reproduce', 'darts'], folder);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'darts-again: the same 3 lines as darts\n' });
  }, 60_000);

  it('goes on with a second run that is there, and does not run one again that is at its end', async () => {
    cpSync(join(folder, 'trained'), join(folder, 'complete'), { recursive: true });
    const { code, stdout, stderr } = await run(['reproduce', 'trained', '--out', 'complete'], folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^complete: the same 4 lines as trained\n/);
  });

  it('names the first line and key that differ, both values, and what the manifests tell', async () => {
    changed('trained', 'other', (lines) => Object.assign(lines[2] as object, { loss: 123 }));
    const manifest = join(folder, 'other', 'manifest.json');
    writeFileSync(
      manifest,
      readFileSync(manifest, 'utf8').replace(/"instructionSet": "[^"]*"/, '"instructionSet": "abacus"'),
    );
    const { loss } = JSON.parse(journalOf(join(folder, 'trained'))[2] as string);
    const { code, stdout } = await run(['reproduce', 'other'], folder);
    expect(code).toBe(1);
    expect(stdout).toContain(
      `other-again/journal.jsonl:3: loss is ${loss}\nother/journal.jsonl:3: loss is 123\n`,
    );
    expect(stdout).toContain('and the same weights');
    expect(stdout).toMatch(/instructionSet: abacus in other, \w+ in other-again/);
  }, 60_000);

  it('sees weights that differ where the journals do not', async () => {
    cpSync(join(folder, 'trained'), join(folder, 'heavy'), { recursive: true });
    writeFileSync(join(folder, 'heavy', 'weights.safetensors'), 'others');
    const { code, stdout } = await run(['reproduce', 'trained', '--out', 'heavy', '--json'], folder);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ equal: false, difference: null, weightsEqual: false });
  });

  it('says before it trains that the data are others', async () => {
    changed('trained', 'past', (lines) => Object.assign(lines[0] as object, { dataChecksum: 'ab12' }));
    const { code, stdout, stderr } = await run(['reproduce', 'past', '--json'], folder);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      difference: { line: 1, path: 'dataChecksum', ours: '"ab12"' },
    });
  });

  it('compares what there is of a run that is not at its end', async () => {
    changed('trained', 'half', (lines) => lines.splice(2));
    rmSync(join(folder, 'half', 'weights.safetensors'));
    const { code, stdout } = await run(['reproduce', 'half', '--out', 'second'], folder);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'second: the same 2 lines as half, which is not at its end\n',
    });
  });

  it('refuses a folder without a run', async () => {
    const { code, stderr } = await run(['reproduce', 'nowhere'], folder);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'espalier: nowhere: no such folder; a run folder was expected\n',
    });
  });
});
