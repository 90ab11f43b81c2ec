import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addResume } from '../../src/cli/resume.js';
import { addShow } from '../../src/cli/show.js';
import { addStatus } from '../../src/cli/status.js';
import { addTune } from '../../src/cli/tune.js';
import { findArchitecture, findNetwork, resultOf } from '../../src/kinds/kinds-of-run.js';
import { toArchitectureFile } from '../../src/space/architecture-file.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { journalOf, journalReaches, kill, run, start } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();
writeTinyCifar10(join(folder, 'cifar'));
const at = (...path: string[]) => join(folder, ...path);
const space = Space.configure(zophCnn, { layers: 1, filters: [4, 6] });
writeFileSync(at('found.json'), JSON.stringify(toArchitectureFile(space, space.decode([1, 1, 0, []]))));

const tuning = (out: string) => [
  ...['tune', 'found.json', '--data', 'cifar10:cifar', '--out', out, '--limit', '120', '--threads', '1'],
  ...['--grid', 'learningRate=[0.1,0.0001]', '--grid', 'batchNormEpsilon=[0.00001,0.5]'],
  ...['--set', 'decayEpoch=3', '--epochs', '6', '--final-epochs', '12', '--validation', '40'],
  ...['--batch-size', '16', '--json'],
];

type Event = Record<string, unknown>;
const eventsOf = (path: string): Event[] => journalOf(path).map((line) => JSON.parse(line));

describe('espalier tune', () => {
  let summary: { chosen: number; test: number; trainings: { value: number; run: string }[] };

  beforeAll(async () => {
    const ended = await run(tuning('whole'), folder);
    expect([ended.code, ended.stderr]).toEqual([
      0,
      expect.stringMatching(
        /training 1 of 5: learningRate 0.1, batchNormEpsilon 0.00001\n[\s\S]*training 5 of 5: .* left in all/,
      ),
    ]);
    summary = JSON.parse(ended.stdout);
  }, 240_000);

  it('trains at each point of the grid, takes the best by validation data, and tests that once', () => {
    const [begin, ...events] = eventsOf(at('whole'));
    expect(begin).toMatchObject({
      event: 'tune',
      epochs: 6,
      finalEpochs: 12,
      training: { schedule: 'step' },
    });
    const values = summary.trainings.map(({ value }) => value);
    expect(events).toEqual([
      ...[
        [0.1, 0.00001],
        [0.1, 0.5],
        [0.0001, 0.00001],
        [0.0001, 0.5],
      ].map(([learningRate, batchNormEpsilon], index) => ({
        event: 'trained',
        point: index + 1,
        options: { 'training.learningRate': learningRate, 'space.batchNormEpsilon': batchNormEpsilon },
        run: `point-${index + 1}`,
        value: values[index],
      })),
      { event: 'chosen', point: values.indexOf(Math.max(...values)) + 1 },
      { event: 'tested', run: 'final', value: summary.test },
      { event: 'end' },
    ]);
    expect(new Set(values).size).toBeGreaterThan(1);
  });

  it('looks at validation data in the grid, and at the test data in the last training only', () => {
    for (const { run } of summary.trainings) {
      const [begin] = eventsOf(join(folder, run));
      expect(begin).toMatchObject({ judge: 'validation', training: { epochs: 6, decayEpoch: 3 } });
      expect(resultOf(join(folder, run)).measure.name).toBe('validation accuracy once trained');
    }
    const [begin] = eventsOf(at('whole', 'final'));
    expect(begin).not.toHaveProperty('judge');
    // The learning rate decays after the same share of the epochs.
    expect(begin).toMatchObject({ training: { epochs: 12, decayEpoch: 6 } });
    expect(resultOf(at('whole', 'final'))).toMatchObject({
      value: summary.test,
      measure: { name: 'test accuracy' },
    });
  });

  it('has the network that it came to, with the options of the best point', async () => {
    const { options } = eventsOf(at('whole')).find(({ point }) => point === summary.chosen) as {
      options: Record<string, number>;
    };
    const found = await findArchitecture(at('whole'));
    expect(found.space.options.batchNormEpsilon).toBe(options['space.batchNormEpsilon']);
    expect((await findNetwork(at('whole'))).weights).toBe(at('whole', 'final', 'weights.safetensors'));
    expect(await printed(addShow, ['show', at('whole')])).toContain(
      '4 of 4 trainings of the grid\nbest: learningRate',
    );
    expect(existsSync(at('whole', 'report.html'))).toBe(true);
    expect(JSON.parse(await printed(addStatus, ['status', at('whole'), '--json']))).toMatchObject({
      status: 'finished',
      trained: 4,
      of: 4,
    });
  });

  it('is the same line by line if it is killed and resumed', async () => {
    const { child, ended } = start(tuning('killed'), folder);
    await journalReaches(at('killed'), 3, child);
    kill(child);
    await ended;
    expect(journalOf(at('killed')).length).toBeLessThan(8);
    expect((await run(['resume', 'killed'], folder)).code).toBe(0);
    expect(journalOf(at('killed'))).toEqual(journalOf(at('whole')));
  }, 120_000);

  it('does not change its settings when it goes on', async () => {
    expect(await refusal(addResume, ['resume', at('whole'), '--epochs', '9'])).toMatch(
      /--epochs 9: the points of a grid are trained alike/,
    );
  });

  it('refuses what cannot be tuned, and writes nothing', async () => {
    const given = (...args: string[]) =>
      refusal(addTune, ['tune', at('found.json'), '--out', at('refused'), '--threads', '1', ...args]);
    const data = ['--data', `cifar10:${at('cifar')}`, '--limit', '120', '--batch-size', '32'];
    expect(await given()).toMatch(/^--data is missing: '.*found.json' is no run, which would say it/);
    expect(await given(...data, '--grid', 'learningRate=0.1')).toBe(
      '--grid learningRate=0.1: allowed: a list of values, learningRate=[0.1,0.05]',
    );
    expect(await given(...data, '--grid', 'nothing=[1]')).toMatch(/^--grid nothing: there is no such option/);
    expect(await given(...data, '--grid', 'learningRate=[0.1,-1]')).toMatch(
      /^the training: option 'learningRate' is -1/,
    );
    expect(await given(...data, '--grid', 'epochs=[1,2]')).toBe(
      '--grid epochs: all trainings of a grid have the same; say it with --epochs',
    );
    expect(await given(...data, '--grid', 'decayEpoch=[1,2]', '--set', 'schedule=cosine')).toBe(
      "the grid has decayEpoch, but with schedule 'cosine' the learning rate does not decay at an epoch; " +
        'allowed: --set schedule=step, --set schedule=exponential',
    );
    expect(existsSync(at('refused'))).toBe(false);
  });
});
