import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { addSearch } from '../../src/cli/search.js';
import { Random } from '../../src/random/random.js';
import { journalOf, journalReaches, kill, run, start } from './command.js';
import { refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();
const data = `cifar10:${writeTinyCifar10(join(folder, 'cifar'))}`;

const search = (strategy: string, out: string, ...more: string[]) => [
  ...['search', '--space', 'zoph-cnn', '--strategy', strategy, '--data', data, '--out', out, '--seed', '5'],
  ...['--layers', '2', '--set', 'filters=[4,6]', '--set', 'eta=2', '--epochs', '4', '--batch-size', '32'],
  ...['--workers', '2', ...more],
];

const eventsOf = (path: string) => journalOf(path).map((line) => JSON.parse(line));

describe('espalier search --strategy asha', () => {
  const whole = join(folder, 'whole');

  beforeAll(async () => {
    const { code, stderr, stdout } = await run(
      search('asha', 'whole', '--trials', '5', '--deterministic', '--json'),
      folder,
    );
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/training 8 of 8, child \d after \d epochs?: accuracy/),
    });
    // 5 children, of which floor(5/2) go on to 2 epochs and floor(5/4) to 4.
    expect(JSON.parse(stdout)).toMatchObject({ status: 'finished', trials: 8, children: 5, done: 8 });
  }, 180_000);

  it('trains the best of each rung on, from where they stopped', () => {
    const events = eventsOf(whole);
    expect(events[0]).toMatchObject({
      strategyOptions: { minEpochs: 1, maxEpochs: 4, eta: 2, configurations: 5 },
      estimation: { options: { training: { epochs: 4 } } },
      trials: 8,
    });
    const trials = events.filter(({ event }) => event === 'trial');
    expect(trials.map(({ epochs }) => epochs).sort()).toEqual([1, 1, 1, 1, 1, 2, 2, 4]);
    const results = new Map(
      events.filter(({ event }) => event === 'result').map((result) => [result.trial, result]),
    );
    for (const { trial, epochs, continues, answers, seed } of trials) {
      const { measures, epochs: course } = results.get(trial);
      expect(course.map(({ epoch }: { epoch: number }) => epoch)).toEqual(
        Array.from({ length: epochs }, (_, epoch) => epoch + 1),
      );
      expect(measures.accuracy).toBe(course.at(-1).measures.accuracy);
      if (continues === undefined) continue;
      expect(trials[continues]).toMatchObject({ answers, seed });
      expect(course.slice(0, trials[continues].epochs)).toEqual(results.get(continues).epochs);
    }
    // All but the one on the last rung had a checkpoint; none is left.
    const trialFiles = readdirSync(join(whole, 'trials'), { recursive: true }) as string[];
    expect(trialFiles.filter((file) => /^\d+$/.test(file)).length).toBeGreaterThanOrEqual(7);
    expect(trialFiles.filter((file) => file.endsWith('.safetensors'))).toEqual([]);
  });

  it('tells its rungs in status and report', async () => {
    const { stdout } = await run(['status', 'whole', '--json'], folder);
    expect(JSON.parse(stdout)).toMatchObject({
      children: 5,
      told: 8,
      rungs: [
        { epochs: 1, asked: 5, told: 5, promoted: 2 },
        { epochs: 2, asked: 2, told: 2, promoted: 1 },
        { epochs: 4, asked: 1, told: 1, promoted: 0 },
      ],
    });
    expect((await run(['status', 'whole'], folder)).stdout).toContain(
      '  1 epoch: 5 of 5 children trained, 2 promoted, best ',
    );
    const report = readFileSync(join(whole, 'report.html'), 'utf8');
    expect(report).toContain('Rungs');
    expect(report).toContain('Accuracy by training');
  });

  it('killed with -9 at random moments and resumed has the journal of a run that was left alone', async () => {
    const path = join(folder, 'killed');
    const random = Random.of(13, 'kills');
    let { child, ended } = start(search('asha', 'killed', '--trials', '5', '--deterministic'), folder);
    for (let kills = 0; kills < 3; kills++) {
      const lines = 3 + kills * 4 + random.below(3);
      await journalReaches(path, lines, child);
      await setTimeout(random.below(200));
      kill(child);
      await ended;
      ({ child, ended } = start(['resume', 'killed'], folder));
    }
    expect((await ended).code).toBe(0);
    expect(journalOf(path)).toEqual(journalOf(whole));
  }, 240_000);
});

describe('the flags of a search with rungs', () => {
  it('have as many children by default as bring one to the last rung', async () => {
    const { code, stdout } = await run(
      search('sha', 'sha', '--set', 'eta=3', '--epochs', '2', '--json'),
      folder,
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ trials: 4, children: 3 });
  }, 120_000);

  it.each([
    [
      'hyperband',
      ['--trials', '5'],
      '--trials 5: strategy hyperband says itself how many children it trains',
    ],
    ['asha', ['--set', 'minEpochs=9'], "option 'minEpochs' is 9: must not be more than maxEpochs"],
    ['asha', ['--set', 'maxEpochs=0', '--epochs', '0'], "'--epochs <n>' argument '0' is invalid"],
  ])('refuse with %s %j', async (strategy, flags, message) => {
    const out = join(folder, 'refused');
    expect(await refusal(addSearch, search(strategy, out, ...flags))).toContain(message);
    expect(existsSync(out)).toBe(false);
  });

  it('refuse epochs of the training that are not those of the last rung', async () => {
    const said = await refusal(addSearch, [
      ...['search', '--space', 'zoph-cnn', '--strategy', 'asha', '--data', data],
      ...['--out', join(folder, 'refused'), '--set', 'epochs=5', '--set', 'maxEpochs=9'],
    ]);
    expect(said).toContain('epochs 5: the strategy trains a child for up to 9, its option maxEpochs');
  });
});
