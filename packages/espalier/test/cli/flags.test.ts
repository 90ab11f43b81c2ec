import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { addEvaluate } from '../../src/cli/evaluate.js';
import { addExport } from '../../src/cli/export.js';
import { addInspect } from '../../src/cli/inspect.js';
import { addSearch } from '../../src/cli/search.js';
import { addTrain } from '../../src/cli/train.js';
import { journalOf } from './command.js';
import { copyExamples, writeEstimator } from './own-parts.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyText } from './tiny-text.js';

const folder = suiteFolder();
let text: string;

beforeAll(() => {
  process.chdir(folder);
  writeEstimator('free.ts');
  copyExamples(folder, 'own-task.ts', 'own-task-data.csv', 'small-mlp.ts', 'own-strategy.ts');
  text = `text:${writeTinyText('text')}`;
});

const words = (line: string) => line.split(' ');

describe('a flag without an effect is refused:', () => {
  const OPTIONS = 'lists options; this flag is of a space or a network';
  const SPACE = 'is a space; what has an input is an architecture, or with --supernet its supernet';
  it.each([
    ['reinforce --supernet', `--supernet: 'reinforce' ${OPTIONS}`],
    ['training --profile', `--profile: 'training' ${OPTIONS}`],
    ['darts --batch-size 3', `--batch-size 3: 'darts' ${OPTIONS}`],
    ['darts --threads 3', `--threads 3: 'darts' ${OPTIONS}`],
    ['darts --channels 3', `--channels 3: 'darts' ${OPTIONS}`],
    ['darts --layout cifar', `--layout cifar: 'darts' ${OPTIONS}`],
    ['darts --image-size 3', `--image-size 3: 'darts' ${OPTIONS}`],
    ['darts --set order=2', `--set order=2: 'darts' ${OPTIONS}`],
    [
      'reinforce --task language-modelling',
      '--task language-modelling: the options of strategy reinforce are the same for every task',
    ],
    ['darts-cnn --image-size 64', `--image-size 64: 'darts-cnn' ${SPACE}`],
    ['darts-rnn --vocabulary 64', `--vocabulary 64: 'darts-rnn' ${SPACE}`],
    ['darts-cnn --task image-classification', `--task image-classification: 'darts-cnn' ${SPACE}`],
  ])('inspect %s', async (line, message) => {
    expect(await refusal(addInspect, ['inspect', ...words(line)])).toBe(message);
  });

  it.each([
    ['json --seed 3', '--seed 3: only onnx and pytorch hold weights'],
    ['svg --seed 3', '--seed 3: only onnx and pytorch hold weights'],
    ['onnx --seed 3 --weights w.safetensors', '--seed 3: the weights are those of w.safetensors'],
    [
      'json --image-size 64',
      '--image-size 64: json holds an architecture, whatever its network is built for',
    ],
    [
      'json --set input.classes=3',
      '--set classes=3: json holds an architecture, whatever its network is built for',
    ],
    ['json --json', '--json goes with --out: stdout is the exported file'],
  ])('export darts-v2 --format %s', async (line, message) => {
    expect(await refusal(addExport, ['export', 'darts-v2', '--format', ...words(line)])).toBe(message);
  });

  it.each([
    ['trials', '5'],
    ['time', '5'],
    ['cost', '5'],
    ['deterministic', ''],
    ['workers', '1'],
    ['timeout', '5'],
    ['estimator', './free.ts'],
  ])('search --strategy darts --%s %s', async (flag, value) => {
    const args = [
      'search',
      '--space',
      'darts-cnn',
      '--strategy',
      'darts',
      '--data',
      'mnist',
      '--out',
      'refused',
    ];
    expect(await refusal(addSearch, [...args, `--${flag}`, ...(value === '' ? [] : [value])])).toBe(
      `${`--${flag} ${value}`.trim()}: strategy darts trains one supernet, and no children`,
    );
    expect(existsSync('refused')).toBe(false);
  });

  it('search --strategy darts --device, of two devices', async () => {
    const args = [
      'search',
      '--space',
      'darts-cnn',
      '--strategy',
      'darts',
      '--data',
      'mnist',
      '--device',
      'cpu,cpu',
    ];
    expect(await refusal(addSearch, args)).toBe('--device cpu,cpu: a supernet is trained on one device');
  });

  it('search and train --image-size, of a task whose networks read something else', async () => {
    const size = ['--image-size', '32', '--out', 'refused'];
    for (const strategy of ['random', 'darts'])
      expect(
        await refusal(addSearch, [
          ...['search', '--space', 'darts-rnn', '--strategy', strategy, '--data', text, ...size],
        ]),
      ).toBe('--image-size 32: the networks of task language-modelling read tokens');
    expect(await refusal(addTrain, ['train', 'darts-v2-rnn', '--data', text, ...size])).toBe(
      '--image-size 32: the networks of task language-modelling read tokens',
    );
    const rows = ['--task', './own-task.ts', '--data', 'csv:own-task-data.csv', '--strategy', 'random'];
    expect(await refusal(addSearch, ['search', '--space', './small-mlp.ts', ...rows, ...size])).toBe(
      '--image-size 32: the networks of task csv-regression read rows',
    );
    expect(existsSync('refused')).toBe(false);
  });

  it('search --preset small, where nothing has small settings', async () => {
    copyExamples(folder, 'plain-cnn.ts');
    const args = [
      'search',
      '--space',
      './plain-cnn.ts',
      '--preset',
      'small',
      '--out',
      'refused',
      '--strategy',
    ];
    expect(await refusal(addSearch, [...args, 'random', '--estimator', './free.ts'])).toBe(
      '--preset small: space plain-cnn, strategy random and estimator ./free.ts have no settings for a laptop',
    );
    expect(await refusal(addSearch, [...args, 'darts', '--data', 'mnist'])).toBe(
      '--preset small: space plain-cnn and strategy darts have no settings for a laptop',
    );
  });

  it('evaluate --epochs-2 of no number, and --seeds without a search', async () => {
    expect(await refusal(addEvaluate, ['evaluate', 'darts-v2', '--epochs-2', '0'])).toContain(
      "'--epochs-2 <n>' argument '0' is invalid",
    );
    expect(await refusal(addEvaluate, ['evaluate', 'darts-v2', '--seeds', '2', '--data', 'mnist'])).toMatch(
      /^--seeds 2: none of the arguments is the folder of a search/,
    );
  });
});

/** The first line of a run's journal. */
const headerOf = (path: string) => JSON.parse(journalOf(path)[0] as string);

describe('a flag is in the journal of the run:', () => {
  const search = (...more: string[]) =>
    printed(addSearch, [
      'search',
      '--space',
      'nasbench201',
      '--estimator',
      './free.ts',
      '--trials',
      '3',
      ...more,
    ]);

  it('of search', async () => {
    await search('--strategy', 'random', '--out', 'plain');
    const plain = headerOf('plain');
    expect(plain).toMatchObject({ seed: 1, trials: 3, spaceOptions: { channels: 16, cells: 5 } });

    for (const [name, flags, change] of [
      ['seed', '--seed 7', { seed: 7 }],
      ['workers', '--workers 5', { workers: 5 }],
      ['deterministic', '--deterministic', { order: 'virtual' }],
      ['time', '--time 1000', { seconds: 1000 }],
      ['channels', '--channels 4', { spaceOptions: { ...plain.spaceOptions, channels: 4 } }],
      ['cells', '--cells 2', { spaceOptions: { ...plain.spaceOptions, cells: 2 } }],
      ['small', '--preset small', { spaceOptions: { ...plain.spaceOptions, channels: 8, cells: 1 } }],
      ['set', '--set space.nodes=3', { spaceOptions: { ...plain.spaceOptions, nodes: 3 } }],
      ['unique', '--set unique=false', { strategyOptions: { unique: false } }],
    ] as const) {
      await search('--strategy', 'random', '--out', name, ...words(flags));
      expect(headerOf(name)).toEqual({ ...plain, ...change });
    }
    await search('--strategy', './own-strategy.ts', '--set', 'restarts=0.5', '--out', 'own');
    expect(headerOf('own')).toMatchObject({
      strategy: './own-strategy.ts',
      strategyOptions: { restarts: 0.5 },
    });
  });

  it('of search by what it is called, where no folder is named', async () => {
    mkdirSync('default');
    process.chdir('default');
    try {
      for (let i = 0; i < 2; i++)
        await printed(addSearch, [
          ...['search', '--space', 'nasbench201', '--strategy', '../own-strategy.ts', '--seed', '4'],
          ...['--estimator', '../free.ts', '--trials', '1'],
        ]);
      expect(readdirSync('runs').sort()).toEqual([
        'nasbench201-own-strategy-free-seed4',
        'nasbench201-own-strategy-free-seed4-2',
      ]);
    } finally {
      process.chdir(folder);
    }
  });
});

describe('inspect', () => {
  it('lists the options of a training for the task that is asked for, one of your own too', async () => {
    const args = ['inspect', 'training', '--json', '--task'];
    const { options } = JSON.parse(await printed(addInspect, [...args, './own-task.ts']));
    expect(options).toHaveLength(1);
    expect(options[0].task).toBe('csv-regression');
    expect(options[0].options).toContainEqual(
      expect.objectContaining({ name: 'epochs', default: 40, description: expect.any(String) }),
    );
    const language = JSON.parse(await printed(addInspect, [...args, 'language-modelling']));
    expect(language.options.map(({ task }: { task: string }) => task)).toEqual(['language-modelling']);
  });

  it('takes the option of a space with and without the word before it', async () => {
    for (const set of ['layers=2', 'space.layers=2'])
      expect(
        JSON.parse(await printed(addInspect, ['inspect', 'zoph-cnn', '--set', set, '--json'])),
      ).toMatchObject({
        options: { layers: 2 },
      });
  });
});

describe('export', () => {
  it('initialises the weights by its seed', async () => {
    const bytes = async (name: string, ...more: string[]) => {
      const size = ['--layers', '3', '--channels', '2', '--out', name];
      await printed(addExport, ['export', 'darts-v2', '--format', 'onnx', ...size, ...more]);
      return readFileSync(name);
    };
    const usual = await bytes('usual.onnx');
    expect((await bytes('one.onnx', '--seed', '1')).equals(usual)).toBe(true);
    expect((await bytes('two.onnx', '--seed', '2')).equals(usual)).toBe(false);
  });
});
