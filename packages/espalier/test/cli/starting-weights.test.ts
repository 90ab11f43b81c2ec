import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTensors, scope } from '@espalier/torch';
import { beforeAll, describe, expect, it } from 'vitest';
import { addExport } from '../../src/cli/export.js';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addResume } from '../../src/cli/resume.js';
import { addShow } from '../../src/cli/show.js';
import { addStatus } from '../../src/cli/status.js';
import { addTrain } from '../../src/cli/train.js';
import { beginTraining } from '../../src/experiments/training-run.js';
import { findArchitecture } from '../../src/kinds/kinds-of-run.js';
import { journalOf } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();
const data = `cifar10:${writeTinyCifar10(join(folder, 'cifar'))}`;
const CELL = {
  space: 'nasbench201',
  options: { channels: 4, cells: 1 },
  cell: '|nor_conv_1x1~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|nor_conv_3x3~2|',
};
const small = ['--limit', '60', '--batch-size', '20', '--threads', '1'];
/** Steps so small that no float32 changes. */
const still = ['learningRate=1e-30', 'momentum=0', 'nesterov=false', 'weightDecay=0'].flatMap((set) => [
  '--set',
  set,
]);

const train = (out: string, ...more: string[]) => [
  ...['train', 'cell.json', '--data', data, '--out', out, '--epochs', '1', ...small, ...more],
];

const valuesOf = (file: string): Map<string, number[]> =>
  scope(() => new Map([...loadTensors(file).tensors].map(([name, tensor]) => [name, tensor.toNumbers()])));

const isStatistic = (name: string) => /running_|num_batches/.test(name);

/** The parameters of two files that differ by more than a step can move a zero. */
function changedParameters(first: string, second: string): string[] {
  const other = valuesOf(second);
  const isEqual = (values: readonly number[], others: readonly number[] | undefined) =>
    values.length === others?.length && values.every((value, i) => Math.abs(value - others[i]!) < 1e-20);
  return [...valuesOf(first)]
    .filter(([name, values]) => !isStatistic(name) && !isEqual(values, other.get(name)))
    .map(([name]) => name);
}

const WEIGHTS = 'weights.safetensors';

beforeAll(async () => {
  process.chdir(folder);
  writeFileSync('cell.json', JSON.stringify(CELL));
  for (const classes of ['10', '7'])
    await printed(addExport, [
      ...['export', 'cell.json', '--format', 'pytorch', '--out', `given-${classes}.py`],
      ...['--classes', classes, '--seed', '9'],
    ]);
});

describe('a training with starting weights', () => {
  beforeAll(async () => {
    await printed(addTrain, train('begun', '--weights', 'given-10.safetensors', ...still));
  });

  it('begins with them', () => {
    expect(changedParameters(`begun/${WEIGHTS}`, 'given-10.safetensors')).toEqual([]);
    expect(changedParameters('given-10.safetensors', `begun/${WEIGHTS}`)).toEqual([]);
  });

  it('is told by status and show', async () => {
    expect(await printed(addStatus, ['status', 'begun'])).toMatch(
      /, test accuracy [\d.]+%, begun with the weights of given-10\.safetensors\n/,
    );
    expect(await printed(addShow, ['show', 'begun'])).toMatch(
      /\n {2}begun with the weights of given-10\.safetensors\n/,
    );
    expect(JSON.parse(await printed(addShow, ['show', 'begun', '--json']))).toMatchObject({
      start: { from: 'given-10.safetensors', newClassifier: false },
      best: null,
    });
  });

  it('keeps them in its folder, and needs the file no more', async () => {
    const request = {
      task: { name: 'image-classification', data, seed: 1, limit: 60 },
      training: {
        epochs: 1,
        batchSize: 20,
        learningRate: 1e-30,
        momentum: 0,
        nesterov: false,
        weightDecay: 0,
      },
      seed: 1,
      threads: 1,
    };
    cpSync('given-10.safetensors', 'moved.safetensors');
    const start = { from: 'moved.safetensors', file: 'moved.safetensors', newClassifier: false };
    await beginTraining('later', await findArchitecture('cell.json'), { ...request, start });
    cpSync('later', 'killed', { recursive: true });
    cpSync('later', 'spoilt', { recursive: true });
    // Killed between the journal and the copy of the weights: the file is still there.
    rmSync('killed/starting-weights.safetensors');
    await printed(addResume, ['resume', 'killed']);
    expect(changedParameters(`killed/${WEIGHTS}`, 'given-10.safetensors')).toEqual([]);
    rmSync('moved.safetensors');
    await printed(addResume, ['resume', 'later']);
    expect(changedParameters(`later/${WEIGHTS}`, 'given-10.safetensors')).toEqual([]);
    const bytes = readFileSync('spoilt/starting-weights.safetensors');
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync('spoilt/starting-weights.safetensors', bytes);
    expect(await refusal(addResume, ['resume', 'spoilt'])).toBe(
      'spoilt/starting-weights.safetensors: not the weights that the training began with: the checksum is another',
    );
  });

  it('is reproduced', async () => {
    const said = JSON.parse(await printed(addReproduce, ['reproduce', 'begun', '--out', 'again', '--json']));
    expect(said).toMatchObject({ equal: true });
    expect(readFileSync(`again/${WEIGHTS}`).equals(readFileSync(`begun/${WEIGHTS}`))).toBe(true);
  });

  it('takes those of another training', async () => {
    await printed(addTrain, train('further', '--weights', 'begun', ...still));
    expect(changedParameters(`further/${WEIGHTS}`, 'given-10.safetensors')).toEqual([]);
    expect(JSON.parse(journalOf('further')[0] as string).start).toMatchObject({
      from: 'begun',
      file: `begun/${WEIGHTS}`,
      newClassifier: false,
    });
  });

  it('begins the classifier anew on request, as the seed initialises it', async () => {
    const given = ['--weights', 'given-7.safetensors', '--new-classifier', '--seed', '4'];
    await printed(addTrain, train('transferred', ...given, ...still));
    await printed(addTrain, train('fresh', '--seed', '4', ...still));
    const changed = ['classifier.weight', 'classifier.bias'];
    expect(changedParameters(`transferred/${WEIGHTS}`, 'given-7.safetensors').sort()).toEqual(changed.sort());
    expect(changedParameters(`transferred/${WEIGHTS}`, `fresh/${WEIGHTS}`)).not.toContain(
      'classifier.weight',
    );
    expect(await printed(addShow, ['show', 'transferred'])).toContain(
      'begun with the weights of given-7.safetensors and a new classifier',
    );
  });

  it.each([
    [
      ['--weights', 'given-7.safetensors'],
      /classifier\.weight .*\. For other classes than those of the weights: --new-classifier$/,
    ],
    [['--new-classifier'], /^--new-classifier: without --weights all layers begin anew$/],
    [['--weights', 'missing.safetensors'], /^missing\.safetensors: does not exist; expected weights/],
    [['--weights', 'cell.json'], /cell\.json/],
    [
      ['--validation', '10'],
      /^--validation 10: this training learns from all training data; with --set keepBest=true/,
    ],
  ])('is refused with %j', async (flags, message) => {
    expect(await refusal(addTrain, train('refused', ...flags))).toMatch(message);
    expect(existsSync('refused')).toBe(false);
  });
});

describe('a training that keeps the best epoch', () => {
  it('ends with its weights, and says which it was', async () => {
    // The learning rate is too high to get better for long.
    const flags = [
      '--set',
      'keepBest=true',
      '--validation',
      '20',
      '--set',
      'learningRate=2',
      '--set',
      'clip=0',
    ];
    const said = JSON.parse(await printed(addTrain, [...train('best', ...flags, '--json'), '--epochs', '4']));
    const epochs = journalOf('best')
      .map((line) => JSON.parse(line))
      .filter(({ event }) => event === 'epoch');
    const values = epochs.map(({ measures }) => measures.accuracy as number);
    const best = values.indexOf(Math.max(...values)) + 1;
    expect(said.best).toEqual({ epoch: best, measures: epochs[best - 1].measures });
    // Twenty images are held out: each is a twentieth.
    for (const value of values) expect((value * 20) % 1).toBeCloseTo(0, 9);
    const kept = valuesOf('best/checkpoint.safetensors');
    for (const [name, value] of valuesOf(`best/${WEIGHTS}`))
      expect(value, name).toEqual(kept.get(`best.network.${name}`));
    const percent = `${(100 * Math.max(...values)).toFixed(2)}%`;
    expect(await printed(addStatus, ['status', 'best'])).toContain(
      `, best epoch ${best}, validation accuracy ${percent}\n`,
    );
    expect(await printed(addShow, ['show', 'best'])).toContain(
      `\n  best epoch ${best}, validation accuracy ${percent}\n`,
    );
  });
});
