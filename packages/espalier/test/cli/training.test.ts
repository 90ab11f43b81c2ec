import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addInspect } from '../../src/cli/inspect.js';
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
const small = ['--channels', '4', '--cells', '1', '--limit', '60', '--batch-size', '20', '--threads', '1'];
const CELL = {
  space: 'nasbench201',
  cell: '|none~0|+|nor_conv_1x1~0|none~1|+|skip_connect~0|none~1|nor_conv_3x3~2|',
};

const train = (out: string, ...more: string[]) => [
  ...['train', 'cell.json', '--data', data, '--out', out, '--epochs', '2', ...small, ...more],
];

interface Summary {
  readonly measures: { readonly accuracy: number; readonly loss: number };
  readonly loss: number;
}

describe('a training', () => {
  let summary: Summary & Record<string, unknown>;

  beforeAll(async () => {
    process.chdir(folder);
    writeFileSync('cell.json', JSON.stringify(CELL));
    summary = JSON.parse(await printed(addTrain, train('trained', '--json')));
  });

  it('says with --json what it came to, and writes weights and report', () => {
    const events = journalOf('trained').map((line) => JSON.parse(line));
    expect(events.map(({ event }) => event)).toEqual(['train', 'epoch', 'epoch', 'end']);
    const { measures, judge } = events[3];
    expect(judge).toBe('test');
    expect(summary).toEqual({
      run: 'trained',
      status: 'finished',
      epochs: 2,
      judge: 'test',
      measure: 'accuracy',
      measures,
      testAccuracy: measures.accuracy,
      testLoss: measures.loss,
      loss: events[2].loss,
      curve: [
        { epoch: 1, loss: events[1].loss, measures: null },
        { epoch: 2, loss: events[2].loss, measures: null },
      ],
      best: null,
      start: null,
      weights: 'trained/weights.safetensors',
      report: 'trained/report.html',
    });
    expect(existsSync('trained/weights.safetensors')).toBe(true);
    const report = readFileSync('trained/report.html', 'utf8');
    expect(report).toMatch(/^<!doctype html>/i);
    expect(report).toContain('<svg');
    expect(report).toContain(`${(100 * measures.accuracy).toFixed(2)}%`);
    expect(report).not.toMatch(/(src|href)="http/);
  });

  it('shows on its page the curve, the cell, and which classes were taken for which', async () => {
    const { details } = JSON.parse(journalOf('trained').at(-1)!);
    rmSync('trained/report.html');
    await printed(addShow, ['show', 'trained']);
    const report = readFileSync('trained/report.html', 'utf8');
    expect([...report.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, heading]) => heading)).toEqual([
      'Training loss by epoch',
      'Confusion matrix on the test data',
      'Classes on the test data',
      'The network',
      'Settings',
    ]);
    const counts = details.confusion as [number, number, number][];
    const right = counts.reduce(
      (sum, [actual, predicted, count]) => sum + (actual === predicted ? count : 0),
      0,
    );
    const all = counts.reduce((sum, [, , count]) => sum + count, 0);
    expect(right / all).toBe(summary.measures.accuracy);
    // The ten classes have the names of CIFAR-10.
    expect(report).toMatch(/<title>airplane taken for \w+: \d+ of \d+<\/title>/);
  });

  it('is told by status, show and inspect, with its curve', async () => {
    const percent = `${(100 * summary.measures.accuracy).toFixed(2)}%`;
    const [first, last] = (summary.curve as { loss: number }[]).map(({ loss }) => loss.toFixed(4));
    const curve = `  training loss ${first} █▁ ${last}\n`;
    const status = `trained: training with ${data}, finished: 2 of 2 epochs, test accuracy ${percent}\n${curve}`;
    const said = await printed(addStatus, ['status', 'trained']);
    expect(said.slice(0, status.length)).toBe(status);
    expect(said.slice(status.length)).toMatch(
      /^ {2}memory of the machine: a process holds [\d.]+ [MG]iB, at most [\d.]+ [MG]iB; [\d.]+ GiB of [\d.]+ GiB are taken by all\n$/,
    );
    expect((await printed(addInspect, ['inspect', 'trained'])).startsWith(status)).toBe(true);
    expect(JSON.parse(await printed(addStatus, ['status', 'trained', '--json']))).toEqual({
      ...summary,
      ofEpochs: 2,
      pid: null,
      collectives: null,
      memory: [
        {
          ...{ device: 'cpu', used: expect.any(Number), peak: expect.any(Number) },
          ...{ free: expect.any(Number), total: expect.any(Number) },
        },
      ],
    });
    expect(await printed(addShow, ['show', 'trained'])).toBe(
      `trained: trained; test accuracy ${percent}\n${curve}  weights trained/weights.safetensors, report trained/report.html\n`,
    );
    expect(JSON.parse(await printed(addShow, ['show', 'trained', '--json']))).toEqual(summary);
    expect(JSON.parse(await printed(addResume, ['resume', 'trained', '--json']))).toEqual(summary);
  });

  it('is inspected in the size that it has', async () => {
    const inspected = JSON.parse(await printed(addInspect, ['inspect', 'trained', '--json']));
    expect(inspected).toMatchObject({
      space: 'nasbench201',
      architecture: { ...CELL, options: { channels: 4, cells: 1, nodes: 4 } },
      input: { channels: 3, height: 32, width: 32, classes: 10 },
      run: { status: 'finished', epochs: 2, ofEpochs: 2, curve: summary.curve },
    });
    // Three cells of 4, 8 and 16 channels with a 1x1 and a 3x3 convolution, two residual blocks, stem, norm, classifier.
    const widths = [4, 8, 16];
    const cells = widths.reduce((sum, c) => sum + (1 + 9) * c * c + 2 * 2 * c, 0);
    const blocks = [4, 8].reduce(
      (sum, c) => sum + 9 * c * 2 * c + 9 * 4 * c * c + 2 * c * c + 2 * 2 * 2 * c,
      0,
    );
    expect(inspected.params).toBe(cells + blocks + (27 * 4 + 2 * 4) + 2 * 16 + (16 * 10 + 10));
  });

  it('that has begun says so, and how to go on', async () => {
    await beginTraining('begun', await findArchitecture('cell.json'), {
      task: { name: 'image-classification', data, seed: 1, limit: 60 },
      training: { epochs: 7, batchSize: 20 },
      seed: 1,
      threads: 1,
    });
    expect(await printed(addStatus, ['status', 'begun'])).toBe(
      `begun: training with ${data}, stopped: 0 of 7 epochs\n`,
    );
    expect(await printed(addShow, ['show', 'begun'])).toBe(
      'begun: 0 epochs done\n  report begun/report.html\nto go on: espalier resume begun\n',
    );
    expect(existsSync('begun/report.html')).toBe(true);
    expect(JSON.parse(await printed(addShow, ['show', 'begun', '--json']))).toMatchObject({
      status: 'unfinished',
      epochs: 0,
      measures: null,
      loss: null,
      weights: null,
    });
  });

  it.each([
    ['seed', '--seed 7', { seed: 7 }],
    ['threads', '--threads 2', { threads: 2 }],
    ['size', '--channels 2', { architecture: { options: { channels: 2 } } }],
    ['preset', '--preset small', { training: { learningRate: 0.05 } }],
    ['set', '--set momentum=0.25', { training: { momentum: 0.25 } }],
    ['batch', '--batch-size 30', { training: { batchSize: 30 } }],
    ['limit', '--limit 40', { task: { limit: 40 } }],
  ])('has its %s from %s', async (out, flags, settings) => {
    await printed(addTrain, train(out, '--epochs', '1', ...flags.split(' ')));
    expect(JSON.parse(journalOf(out)[0] as string)).toMatchObject({ ...settings });
  });

  it.each([
    [['--out', 'trained'], 'trained: a run is in this folder already; resume it or name another folder'],
    [['--out', 'refused', '--preset', 'large'], "--preset 'large': allowed: paper, small"],
    [['--out', 'refused', '--layers', '3'], '--layers 3: space nasbench201 has no option'],
    [['--out', 'refused', '--set', 'order=1'], '--set order: there is no such option'],
    [['--out', 'refused', '--limit', '301'], 'limit 301: '],
    [['--out', 'refused', '--image-size', '16'], 'image size 16: cifar10 has images of one size'],
  ])('is refused with %j', async (args, message) => {
    expect(await refusal(addTrain, train('refused', ...args))).toContain(message);
    expect(existsSync('refused')).toBe(false);
  });
});
