import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addTrain } from '../../src/cli/train.js';
import { writeTinyCamvid } from '../data/tiny-masks.js';
import { journalOf, journalReaches, kill, run, start } from './command.js';
import { printed } from './printed.js';
import { suiteFolder } from './suite-folder.js';

const folder = suiteFolder();

/** Four training images, divided into two and two. */
const search = (out: string) => [
  ...['search', '--space', 'auto-deeplab', '--strategy', 'auto-deeplab', '--data', 'camvid:camvid'],
  ...['--set', 'layers=3', '--set', 'blocks=1', '--filter-multiplier', '1', '--set', 'stemChannels=2'],
  ...['--epochs', '4', '--batch-size', '2', '--seed', '5', '--threads', '1', '--out', out],
];

describe('a search of Auto-DeepLab', () => {
  beforeAll(async () => {
    process.chdir(folder);
    await writeTinyCamvid('camvid', { train: 4, val: 2, test: 2 }, { height: 17, width: 17 });
    const whole = await run(search('whole'), folder);
    expect([whole.code, whole.stderr]).toEqual([0, expect.stringContaining('epoch 4: training loss')]);
  });

  it('killed with -9 and resumed, has the journal and the pages of a run that was left alone', async () => {
    const { child, ended } = start(search('killed'), folder);
    await journalReaches(join(folder, 'killed'), 4, child);
    kill(child);
    expect((await ended).signal).toBe('SIGKILL');
    expect((await run(['resume', 'killed'], folder)).code).toBe(0);
    expect(journalOf('killed')).toEqual(journalOf('whole'));
    for (const file of ['best.json', 'report.html'])
      expect(readFileSync(join('killed', file), 'utf8')).toBe(readFileSync(join('whole', file), 'utf8'));
  });

  it('draws the trellis with the weights of its moves, and what the supernet makes of images', () => {
    const report = readFileSync(join('whole', 'report.html'), 'utf8');
    expect(report).toContain('Entropy of the choices by epoch');
    expect(report).toContain('Predictions on the validation data');
    expect(readdirSync(join('whole', 'samples'))).toHaveLength(2);
    // Seven pixels are a weight of 1: the first layer has one level only.
    const pictures = report.split('The cells after epoch').slice(1);
    expect(pictures.length).toBeGreaterThan(0);
    expect(pictures[0]).toMatch(/data-arrow="path"><path d="[^"]*" stroke-width="7"/);
    expect(pictures[0]).toMatch(/data-arrow="other"><path d="[^"]*" stroke-width="2\.3/);
  });

  it('finds a network that is trained', async () => {
    const trained = JSON.parse(
      await printed(addTrain, [
        ...['train', 'whole', '--data', 'camvid:camvid', '--preset', 'small', '--epochs', '1'],
        ...['--batch-size', '2', '--filter-multiplier', '2', '--threads', '1', '--out', 'trained', '--json'],
      ]),
    );
    expect(trained.testMiou).toBeGreaterThanOrEqual(0);
    const [begin] = journalOf('trained').map((line) => JSON.parse(line));
    expect(begin.architecture.options).toMatchObject({ layers: 3, blocks: 1, filterMultiplier: 2 });
  });
});
