import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/random/random.js';
import { journalOf, journalReaches, kill, run, start } from './command.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();
const data = `cifar10:${writeTinyCifar10(join(folder, 'cifar'))}`;
const TRIALS = 8;
const search = (out: string, ...more: string[]) => [
  ...[
    'search',
    '--space',
    'zoph-cnn',
    '--strategy',
    'reinforce',
    '--data',
    data,
    '--out',
    out,
    '--seed',
    '5',
  ],
  ...[
    '--layers',
    '2',
    '--set',
    'filters=[4,6]',
    '--set',
    'children=3',
    '--epochs',
    '2',
    '--batch-size',
    '32',
  ],
  ...['--trials', String(TRIALS), '--workers', '2'],
  ...more,
];

/** A line of a result, or an epoch of one. */
interface Result {
  readonly trial: number;
  readonly measures: { readonly accuracy: number; readonly loss: number };
}

describe('espalier search', () => {
  const whole = join(folder, 'whole');
  let summary: Record<string, unknown>;

  beforeAll(async () => {
    const { code, stdout, stderr } = await run(search('whole', '--json'), folder);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining(`child ${TRIALS} of ${TRIALS}: accuracy`),
    });
    summary = JSON.parse(stdout);
  }, 180_000);

  it('says with --json what it found, and writes architecture, pictures and report', () => {
    expect(summary).toMatchObject({
      run: 'whole',
      status: 'finished',
      trials: TRIALS,
      done: TRIALS,
      failed: 0,
    });
    const best = JSON.parse(readFileSync(join(whole, 'best.json'), 'utf8'));
    expect(summary.best).toMatchObject({ architecture: best });
    expect(best).toMatchObject({ space: 'zoph-cnn', options: { layers: 2, filters: [4, 6] } });
    expect(best.layers).toHaveLength(2);
    expect(readFileSync(join(whole, 'best.svg'), 'utf8')).toMatch(
      /^<svg[\s\S]*[1357]x[1357] convolution, [46] filters[\s\S]*<\/svg>\s*$/,
    );
    const report = readFileSync(join(whole, 'report.html'), 'utf8');
    // Curve, best and mean of the best, best network, learning curves and accuracy by size; and a curve for each child.
    expect(report.match(/<figure>\n<svg/g)).toHaveLength(5);
    expect(report.match(/<td data-sort="[\d.]+"><svg/g)).toHaveLength(TRIALS);
    expect(report).not.toMatch(/(src|href)="http/);
  });

  it('journals the run, each child with its epochs, an update every three children, and the end', () => {
    const events = journalOf(whole).map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({
      event: 'run',
      seed: 5,
      workers: 2,
      order: 'virtual',
      estimation: { estimator: 'training', options: { threads: 1 }, costUnit: 'epochs' },
      strategyOptions: { children: 3 },
    });
    expect(events.filter(({ event }) => event === 'trial').map(({ trial }) => trial)).toEqual([
      ...Array(TRIALS).keys(),
    ]);
    const results = events.filter(({ event }) => event === 'result');
    for (const { status, measures, epochs, cost } of results) {
      expect([status, cost]).toEqual(['ok', 2]);
      expect(epochs).toHaveLength(2);
      expect(measures.accuracy).toBe(Math.max(...epochs.map((epoch: Result) => epoch.measures.accuracy)));
    }
    expect(events.filter(({ event }) => event === 'update').map(({ update }) => update)).toEqual([1, 2]);
    const { trial, measures } = results.reduce((one: Result, other: Result) =>
      other.measures.accuracy > one.measures.accuracy ? other : one,
    );
    const { accuracy, loss } = measures;
    expect(events.at(-1)).toEqual({
      event: 'end',
      best: { trial, value: accuracy, measures: { accuracy, loss } },
    });
  });

  it('killed with -9 at random moments and resumed has the journal of a run that was left alone', async () => {
    const path = join(folder, 'killed');
    const random = Random.of(11, 'kills');
    let { child, ended } = start(search('killed'), folder);
    for (let kills = 0; kills < 3; kills++) {
      await journalReaches(path, 2 + kills * 5 + random.below(4), child);
      await setTimeout(random.below(300));
      kill(child);
      await ended;
      ({ child, ended } = start(['resume', 'killed'], folder));
    }
    expect((await ended).code).toBe(0);
    expect(journalOf(path)).toEqual(journalOf(whole));
  }, 240_000);

  it('stopped with Ctrl-C says how to go on, and goes on to the same journal', async () => {
    const path = join(folder, 'stopped');
    const { child, ended } = start(search('stopped', '--json'), folder);
    await journalReaches(path, 6, child);
    process.kill(-(child.pid as number), 'SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain('stopping; everything up to here is saved');
    expect(JSON.parse(stdout)).toMatchObject({ status: 'interrupted' });
    const status = JSON.parse((await run(['status', 'stopped', '--json'], folder)).stdout);
    expect(status).toMatchObject({ status: 'stopped', trials: TRIALS, pid: null });
    expect((await run(['resume', 'stopped'], folder)).code).toBe(0);
    expect(journalOf(path)).toEqual(journalOf(whole));
  }, 180_000);

  it('resumed after its end changes nothing', async () => {
    cpSync(whole, join(folder, 'again'), { recursive: true });
    const { code, stderr } = await run(['resume', 'again'], folder);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'again: the search is finished; there is nothing to go on with\n',
    });
    expect(journalOf(join(folder, 'again'))).toEqual(journalOf(whole));
  });

  it('is shown, inspected and exported', async () => {
    const shown = JSON.parse((await run(['show', 'whole', '--json'], folder)).stdout);
    expect(shown).toEqual(summary);
    const json = (await run(['export', 'whole', '--format', 'json'], folder)).stdout;
    expect(json).toBe(readFileSync(join(whole, 'best.json'), 'utf8'));
    const svg = await run(
      ['export', 'whole/best.json', '--format', 'svg', '--out', 'out.svg', '--json'],
      folder,
    );
    expect(JSON.parse(svg.stdout)).toMatchObject({ file: 'out.svg', format: 'svg' });
    const inspected = JSON.parse((await run(['inspect', 'whole/best.json', '--json'], folder)).stdout);
    const { params, macs } = summary.best as { params: number; macs: number };
    expect(inspected).toMatchObject({ space: 'zoph-cnn', params, macs });
  });
});

describe("a user's space", () => {
  it('of at most 20 lines is searched, and its best network trained on, from any folder', async () => {
    const source = fileURLToPath(new URL('../../../../examples/plain-cnn.ts', import.meta.url));
    expect(readFileSync(source, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(20);
    cpSync(source, join(folder, 'plain-cnn.ts'));
    const found = await run(
      [
        'search',
        '--space',
        './plain-cnn.ts',
        '--strategy',
        'reinforce',
        '--data',
        data,
        '--out',
        'own',
        '--trials',
        '2',
        '--epochs',
        '1',
        '--json',
      ],
      folder,
    );
    expect({ code: found.code, stderr: found.stderr }).toEqual({
      code: 0,
      stderr: expect.not.stringMatching(/failed/),
    });
    expect(JSON.parse(found.stdout)).toMatchObject({ done: 2, failed: 0 });
    const trained = await run(
      ['train', 'own', '--data', data, '--out', 'own-trained', '--epochs', '1', '--json'],
      folder,
    );
    expect(trained.code).toBe(0);
    expect(JSON.parse(trained.stdout)).toMatchObject({
      status: 'finished',
      weights: 'own-trained/weights.safetensors',
    });
  }, 120_000);
});

describe('espalier train', () => {
  const train = (out: string) => [
    ...[
      'train',
      'whole',
      '--data',
      data,
      '--out',
      out,
      '--epochs',
      '4',
      '--batch-size',
      '16',
      '--threads',
      '1',
    ],
  ];

  it('killed with -9 and resumed has the journal and the weights of a training that was left alone', async () => {
    expect((await run(train('trained'), folder)).code).toBe(0);
    const { child, ended } = start(train('trained-killed'), folder);
    await journalReaches(join(folder, 'trained-killed'), 2, child);
    process.kill(-(child.pid as number), 'SIGKILL');
    await ended;
    expect((await run(['resume', 'trained-killed'], folder)).code).toBe(0);
    expect(journalOf(join(folder, 'trained-killed'))).toEqual(journalOf(join(folder, 'trained')));
    const weights = (name: string) => readFileSync(join(folder, name, 'weights.safetensors'));
    expect(weights('trained-killed').equals(weights('trained'))).toBe(true);
    const onnx = (out: string, ...more: string[]) =>
      run(['export', ...more, '--format', 'onnx', '--out', out], folder);
    expect((await onnx('trained.onnx', 'trained')).code).toBe(0);
    expect((await onnx('named.onnx', 'whole', '--weights', 'trained/weights.safetensors')).code).toBe(0);
    const bytes = (name: string) => readFileSync(join(folder, name));
    // Besides the network, that of the training says what the training kept.
    const named = bytes('named.onnx');
    const rest = bytes('trained.onnx').subarray(named.length).toString('latin1');
    expect(bytes('trained.onnx').subarray(0, named.length).equals(named)).toBe(true);
    expect(rest).toContain('task\x12\x14image-classification');
    expect(rest).toMatch(/classes.{2,4}\["airplane","automobile",/);
    expect(rest).toContain('standardDeviation');
    const wrong = await onnx('wrong.onnx', 'darts-v2', '--weights', 'trained/weights.safetensors');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(
      /^espalier: --weights trained\/weights\.safetensors: .*stem\.0\.weight is missing/,
    );
  }, 180_000);
});
