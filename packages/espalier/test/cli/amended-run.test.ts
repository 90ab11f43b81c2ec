import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setThreads } from '@espalier/torch';
import { beforeAll, describe, expect, it } from 'vitest';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addResume } from '../../src/cli/resume.js';
import { addSearch } from '../../src/cli/search.js';
import { addShow } from '../../src/cli/show.js';
import { addTrain } from '../../src/cli/train.js';
import { journalOf } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

setThreads(1);

const folder = suiteFolder();
const formula = fileURLToPath(new URL('../../../../examples/own-estimator.ts', import.meta.url));
const words = (text: string) => text.split(' ');
const train = (out: string, more: string) => [
  ...words(`train nasbench201.json --data cifar10:data --limit 40 --batch-size 20 --threads 1 --out ${out}`),
  ...words(more),
];
const resume = (...args: string[]) => ['resume', ...args];
const events = (run: string) => journalOf(run).map((line) => JSON.parse(line));
const weights = (run: string) => readFileSync(join(run, 'weights.safetensors'));

beforeAll(async () => {
  process.chdir(folder);
  writeTinyCifar10('data');
  writeFileSync(
    'nasbench201.json',
    JSON.stringify({
      space: 'nasbench201',
      options: { channels: 2, cells: 1 },
      cell: '|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|',
    }),
  );
  await printed(addTrain, train('long', '--epochs 3 --set schedule=constant'));
  await printed(addTrain, train('short', '--epochs 2 --set schedule=constant'));
}, 60_000);

describe('a finished training', () => {
  it('goes on with more epochs to the weights of one that was begun with as many', async () => {
    await printed(addResume, resume('short', '--epochs', '3'));
    expect(events('short').map(({ event, epoch, epochs }) => [event, epoch ?? epochs])).toEqual([
      ['train', undefined],
      ['epoch', 1],
      ['epoch', 2],
      ['end', undefined],
      ['amended', 3],
      ['epoch', 3],
      ['end', undefined],
    ]);
    expect(events('short').at(-1)).toEqual(events('long').at(-1));
    expect(weights('short').equals(weights('long'))).toBe(true);
    expect(await printed(addShow, ['show', 'short'])).toMatch(/^short: trained; test accuracy/);
    const { epochs } = JSON.parse(await printed(addResume, resume('short', '--json')));
    expect(epochs).toBe(3);
  });

  it('refuses epochs that are done, and those that others depend on', async () => {
    expect(await refusal(addResume, resume('long', '--epochs', '3'))).toBe(
      '--epochs 3: 3 epochs are done; allowed: more',
    );
    await printed(addTrain, train('cosine', '--epochs 1 --set schedule=cosine'));
    expect(await refusal(addResume, resume('cosine', '--epochs', '2'))).toBe(
      '--epochs 2: the learning rate falls along half a cosine over all epochs, so the epochs that are done would have ' +
        'been others; begin another training',
    );
    await printed(addTrain, train('poly', '--epochs 1 --set schedule=poly'));
    expect(await refusal(addResume, resume('poly', '--epochs', '2'))).toMatch(
      /^--epochs 2: the learning rate falls along a power over all epochs, so the epochs/,
    );
    expect(await refusal(addResume, resume('long', '--retry-failed'))).toBe(
      '--retry-failed: a training has no children',
    );
    expect(await refusal(addReproduce, ['reproduce', 'short'])).toBe(
      'short: its epochs were changed on the way (resume --epochs), which is not repeated in one training',
    );
  });
});

describe('a search', () => {
  const search = (strategy: string, out: string, more: string) => [
    ...words(`search --space nasbench201 --strategy ${strategy} --estimator ${formula} --workers 1 --seed 3`),
    ...words(`--out ${out} ${more}`),
  ];

  it('refuses what it cannot change without becoming another one', async () => {
    await printed(addSearch, search('random', 'random', '--trials 1'));
    expect(await refusal(addResume, resume('random', '--epochs', '2'))).toBe(
      '--epochs 2: children that were trained for different times could not be compared; begin another search',
    );
    expect(await refusal(addResume, resume('random', '--trials', '1'))).toBe(
      '--trials 1: the search is finished and has 1 trials; allowed: more',
    );
    expect(await refusal(addResume, resume('random', '--retry-failed'))).toBe(
      '--retry-failed: no child has failed',
    );
    expect(await refusal(addResume, resume('random', '--timeout', '9'))).toBe(
      `--timeout 9: estimator ${formula} has no time limit for a child`,
    );
    await printed(addSearch, search('sha', 'sha', '--set maxEpochs=2 --set eta=2 --set configurations=2'));
    expect(await refusal(addResume, resume('sha', '--trials', '9'))).toMatch(
      /^--trials 9: the rungs of strategy sha ask for \d+ trials; begin another search with more configurations$/,
    );
  });

  it('takes more trials, and tells of each child', async () => {
    await printed(addResume, resume('random', '--trials', '2'));
    const journal = events('random');
    expect(journal.filter(({ event }) => event === 'amended')).toEqual([{ event: 'amended', trials: 2 }]);
    const [first, second] = journal.filter(({ event }) => event === 'trial');
    const { child, architecture, trials } = JSON.parse(
      await printed(addShow, ['show', 'random', '--child', '2', '--json']),
    );
    expect([child, architecture.cell, trials.length]).toEqual([2, second.architecture.cell, 1]);
    expect(first.architecture.cell).not.toBe(second.architecture.cell);
    expect(await refusal(addShow, ['show', 'random', '--child', '3'])).toBe(
      'child 3: the search has the children 1 to 2',
    );
    expect(await refusal(addShow, ['show', 'long', '--child', '1'])).toBe(
      '--child 1: long is a training; allowed: the folder of a search that trains children',
    );
  });
});
