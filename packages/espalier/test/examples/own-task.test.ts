import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, it } from 'vitest';
import { addExport } from '../../src/cli/export.js';
import { addInspect } from '../../src/cli/inspect.js';
import { addPredict } from '../../src/cli/predict.js';
import { addReproduce } from '../../src/cli/reproduce.js';
import { addStatus } from '../../src/cli/status.js';
import { addTrain } from '../../src/cli/train.js';
import { journalOf, run } from '../cli/command.js';
import { copyExamples } from '../cli/own-parts.js';
import { printed, refusal } from '../cli/printed.js';
import { suiteFolder } from '../cli/suite-folder.js';

ort.env.wasm.numThreads = 1;

const folder = suiteFolder();
const DATA = 'own-task-data.csv';

/** The first rows of the data, without their last column and in a file of their own. */
const ROWS = 12;

describe('a task of your own', () => {
  let found: { best: { mse: number; architecture: { layers: { units: number; activation: string }[] } } };
  let rows: number[][];
  let targets: number[];
  let trained: { testMse: number; testR2: number };

  beforeAll(async () => {
    process.chdir(folder);
    copyExamples(folder, 'small-mlp.ts', 'own-task.ts', DATA);
    const [head, ...lines] = readFileSync(DATA, 'utf8').trimEnd().split('\n');
    const values = lines.slice(0, ROWS).map((line) => line.split(',').map(Number));
    rows = values.map((row) => row.slice(0, -1));
    targets = values.map((row) => row.at(-1)!);
    writeFileSync(
      'rows.csv',
      [head!.split(',').slice(0, -1), ...rows].map((row) => `${row.join()}\n`).join(''),
    );

    const searched = await run(
      [
        ...['search', '--space', './small-mlp.ts', '--task', './own-task.ts', '--data', `csv:${DATA}`],
        ...['--strategy', 'reinforce', '--trials', '4', '--epochs', '8', '--workers', '1', '--out', 'found'],
        ...['--set', 'children=2', '--json'],
      ],
      folder,
    );
    expect([searched.code, searched.stderr]).toEqual([
      0,
      expect.stringMatching(/child 4 of 4: mse [\d.]+, [\d,]+ parameters; /),
    ]);
    found = JSON.parse(searched.stdout);
    trained = JSON.parse(
      await printed(addTrain, [
        ...['train', 'found', '--data', `csv:${DATA}`, '--out', 'trained', '--epochs', '60'],
        ...['--set', 'learningRate=0.02', '--threads', '1', '--json'],
      ]),
    );
  });

  it('is searched for the lowest error', () => {
    const events = journalOf('found').map((line) => JSON.parse(line));
    expect(events[0].objectives).toEqual([
      { name: 'mse', better: 'lower', least: 0 },
      { name: 'r2', better: 'higher', most: 1 },
    ]);
    expect(events[0].estimation).toMatchObject({
      source: { name: 'csv' },
      input: { features: 3 },
      options: { task: { name: './own-task.ts', checksum: expect.stringMatching(/^[\da-f]{64}$/) } },
    });
    const errors = events.flatMap(({ event, measures }) => (event === 'result' ? [measures.mse] : []));
    expect(errors).toHaveLength(4);
    expect(found.best.mse).toBe(Math.min(...errors));
    const rewards = events.flatMap(({ event, meanReward }) => (event === 'update' ? [meanReward] : []));
    expect(rewards).toHaveLength(2);
    for (const reward of rewards) expect(Number.isFinite(reward)).toBe(true);
  });

  it('is trained, with the measures of the task', async () => {
    const end = JSON.parse(journalOf('trained').at(-1) as string);
    expect(end).toMatchObject({ judge: 'test', measures: { mse: trained.testMse, r2: trained.testR2 } });
    // The mean alone would have an R2 of 0.
    expect(trained.testR2).toBeGreaterThan(0.5);
    const status = await printed(addStatus, ['status', 'trained']);
    const [head, curve, ...more] = status.split('\n');
    expect(head).toBe(
      `trained: training with csv:${DATA}, finished: 60 of 60 epochs, test mse ${trained.testMse.toFixed(4)}`,
    );
    // 60 losses, in 40 bars from the first to the last.
    expect(curve).toMatch(/^ {2}training loss \d\.\d{4} [▁-█]{40} \d\.\d{4}$/);
    expect(more).toEqual([expect.stringMatching(/^ {2}memory of the machine: a process holds /), '']);
    const inspected = await printed(addInspect, ['inspect', 'trained']);
    expect(inspected.slice(0, status.length)).toBe(status);
    expect(inspected.slice(status.length)).toMatch(
      /^trained: [\d,]+ parameters, [\d,]+ multiply-adds for one row \(3\)\n/,
    );
    const again = JSON.parse(await printed(addReproduce, ['reproduce', 'trained', '--json']));
    expect(again).toMatchObject({ equal: true, weightsEqual: true });
  });

  it('predicts without the data that it was trained on, as the exported network does', async () => {
    renameSync(DATA, 'away.csv');
    try {
      const { predictions, input } = JSON.parse(
        await printed(addPredict, ['predict', 'trained', '--input', 'rows.csv', '--json']),
      );
      expect(input).toEqual({ features: 3 });
      expect(predictions).toHaveLength(ROWS);
      // Training rows and test rows alike: nearer to what was measured than the mean is.
      const mean = targets.reduce((sum, one) => sum + one, 0) / ROWS;
      const error = (of: (i: number) => number) =>
        targets.reduce((sum, one, i) => sum + (one - of(i)) ** 2, 0);
      expect(error((i) => predictions[i])).toBeLessThan(0.5 * error(() => mean));
      const text = await printed(addPredict, ['predict', 'trained', '--input', 'rows.csv']);
      expect(text).toBe(predictions.map((value: number) => `${value.toFixed(3)}\n`).join(''));

      await printed(addExport, ['export', 'trained', '--format', 'onnx', '--out', 'trained.onnx']);
      const { mean: means, std } = JSON.parse(readFileSync(join('trained', 'signature.json'), 'utf8'));
      const standardised = rows.flatMap((row) => row.map((value, i) => (value - means[i]) / std[i]));
      const session = await ort.InferenceSession.create(readFileSync('trained.onnx'), {
        executionProviders: ['wasm'],
        logSeverityLevel: 3,
      });
      try {
        const given = new ort.Tensor('float32', Float32Array.from(standardised), [ROWS, 3]);
        const { prediction } = await session.run({ row: given });
        expect(prediction!.dims).toEqual([ROWS, 1]);
        for (const [i, value] of (prediction!.data as Float32Array).entries())
          expect(predictions[i]).toBeCloseTo(value * std[3] + means[3], 4);
      } finally {
        await session.release();
      }
    } finally {
      renameSync('away.csv', DATA);
    }
  });

  it('is refused where data, network or weights do not fit it', async () => {
    const train = (...args: string[]) => refusal(addTrain, ['train', 'found', '--out', 'refused', ...args]);
    expect(await train('--data', 'mnist')).toBe('data "mnist": write csv:FILE');
    expect(await train('--data', 'csv:nowhere.csv')).toMatch(/\/nowhere\.csv: ENOENT: no such file/);
    expect(await train('--data', `csv:${DATA}`, '--limit', '2', '--task', 'image-classification')).toMatch(
      /unknown kind "csv"/,
    );
    writeFileSync('mine.json', JSON.stringify({ ...found.best.architecture, space: './small-mlp.ts' }));
    const weights = ['--weights', 'trained/weights.safetensors', '--input', 'rows.csv'];
    expect(await refusal(addPredict, ['predict', 'mine.json', ...weights])).toMatch(
      /no task in the box has such networks; name a file with --task$/,
    );
    expect(await refusal(addPredict, ['predict', 'mine.json', '--task', './own-task.ts', ...weights])).toBe(
      'the weights come without the scale of their training; name the folder of a training',
    );
    const wide = ['--set', 'input.features=4', '--input', 'rows.csv'];
    expect(await refusal(addPredict, ['predict', 'trained', ...wide])).toMatch(
      /has shape \[\d+,3\], the network needs \[\d+,4\]/,
    );
  });
});
