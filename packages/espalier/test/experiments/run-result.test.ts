import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resultOf } from '../../src/experiments/run-result.js';
import { DATA, searchEvents, writeRun } from '../reports/journals.js';
import { temporaryFolder } from '../runs/temporary-folder.js';

const run = (events: Parameters<typeof writeRun>[1]) =>
  resultOf(writeRun(join(temporaryFolder(), 'run'), events));

const training = {
  event: 'train',
  version: '0.1.0',
  architecture: { space: 'darts-cnn', normal: [] },
  ...DATA,
  training: { epochs: 2, device: 'cuda:1' },
  seed: 3,
  threads: 1,
};
const supernet = {
  event: 'supernet',
  version: '0.1.0',
  space: 'darts-rnn',
  spaceOptions: {},
  strategy: 'darts',
  strategyOptions: { epochs: 2, device: 'cpu', order: 2 },
  task: { data: 'text:ptb/train', seed: 1 },
  dataChecksum: 'cd34',
  seed: 3,
  threads: 4,
};
const epoch = (number: number, seconds: number, more = {}) => ({
  event: 'epoch',
  epoch: number,
  loss: 1,
  ...more,
  clock: { seconds },
});

describe('the result of a run', () => {
  test('of a search is the accuracy of its best child, and failed children have cost time', () => {
    const result = run(
      searchEvents({ strategy: 'random', seed: 7, children: [[0.2, 0.4], null, [0.6, 0.5]] }),
    );
    expect(result).toMatchObject({
      kind: 'run',
      finished: true,
      strategy: 'random',
      space: 'zoph-cnn',
      data: 'mnist',
      seed: 7,
      measure: { name: 'validation accuracy', better: 'higher', isShare: true },
      value: 0.6,
      // Three children of half an hour on two threads.
      hours: 3,
      device: 'CPU',
      epochs: 6,
      course: [
        { hours: 1, value: 0.4 },
        { hours: 3, value: 0.6 },
      ],
      children: [
        [0.2, 0.4],
        [0.6, 0.5],
      ],
    });
    expect(result.settings).toEqual({
      space: 'zoph-cnn',
      'spaceOptions.layers': '1',
      strategy: 'random',
      dataChecksum: 'ab12',
      'training.epochs': '2',
      'training.device': 'cpu',
      trials: '3',
      workers: '1',
    });
  });

  test('of a search for language models is the perplexity of its best child', () => {
    const events = searchEvents({
      strategy: 'random',
      seed: 7,
      children: [[0.2, 0.4], null, [0.6, 0.5]],
      settings: { training: { epochs: 2, device: 'cpu', stretch: 35 } },
    }).map((event) => JSON.parse(JSON.stringify(event).replaceAll('"accuracy"', '"perplexity"')));
    expect(run(events)).toMatchObject({
      measure: { name: 'validation perplexity', better: 'lower', isShare: false },
      value: 0.4,
      course: [
        { hours: 1, value: 0.4 },
        { hours: 3, value: 0.6 },
      ],
      children: [
        [0.2, 0.4],
        [0.6, 0.5],
      ],
    });
  });

  test('of a search whose children are paused counts the epochs that each trial adds', () => {
    const [begin] = searchEvents({ strategy: 'asha', seed: 7, children: [[0.1, 0.2, 0.3, 0.4]] });
    const trial = (number: number, more: object) => ({ event: 'trial', trial: number, ...more });
    const events = [
      begin as Parameters<typeof writeRun>[1][0],
      trial(0, { epochs: 1 }),
      trial(1, { epochs: 1 }),
      trial(2, { epochs: 3, continues: 1 }),
      trial(3, { epochs: 9, continues: 2 }),
    ];
    // 1 + 1 + 2 + 6, and not one child's four.
    expect(run(events)).toMatchObject({ epochs: 10 });
  });

  test('of a training that picks is what it came to on validation data, another measure than a search has', () => {
    const end = { event: 'end', validationAccuracy: 0.75, loss: 1 };
    expect(run([{ ...training, judge: 'validation' }, epoch(1, 1), end])).toMatchObject({
      measure: { name: 'validation accuracy once trained' },
      value: 0.75,
    });
  });

  test('of a search that is under way is the best so far, and nothing where all children failed', () => {
    const under = searchEvents({ strategy: 'random', seed: 7, children: [[0.25], null], finished: false });
    expect(run(under)).toMatchObject({ finished: false, value: 0.25 });
    expect(run(searchEvents({ strategy: 'random', seed: 7, children: [null] })).value).toBeUndefined();
  });

  test('of a training is what the test images say, at its end', () => {
    const epochs = [epoch(1, 1800), epoch(2, 5400)];
    expect(run([training, ...epochs, { event: 'end', testAccuracy: 0.9, loss: 1 }])).toMatchObject({
      kind: 'train',
      strategy: null,
      space: 'darts-cnn',
      measure: { name: 'test accuracy', better: 'higher' },
      value: 0.9,
      hours: 2,
      device: 'GPU',
      epochs: 2,
      course: [],
    });
    expect(run([training, ...epochs])).toMatchObject({ finished: false, value: undefined });
    expect(run([training, ...epochs, { event: 'end', testPerplexity: 57.2 }])).toMatchObject({
      measure: { name: 'test perplexity', better: 'lower', isShare: false },
      value: 57.2,
    });
  });

  test('of a search with shared weights is the measure of what it ends with', () => {
    const epochs = [epoch(1, 900, { perplexity: 300 }), epoch(2, 900, { perplexity: 250 })];
    const end = { event: 'end', architecture: {}, perplexity: 240, clock: { seconds: 450 } };
    expect(run([supernet, ...epochs, end])).toMatchObject({
      kind: 'supernet',
      strategy: 'darts',
      space: 'darts-rnn',
      data: 'text',
      measure: { name: 'validation perplexity with shared weights', better: 'lower', isShare: false },
      value: 240,
      // Two epochs of a quarter of an hour and a choice of half of that, on four threads.
      hours: 2.5,
      course: [
        { hours: 1, value: 300 },
        { hours: 2, value: 250 },
        { hours: 2.5, value: 240 },
      ],
    });
    expect(run([supernet, epoch(1, 1, { accuracy: 0.5 })]).measure.name).toBe(
      'validation accuracy with shared weights',
    );
  });

  test('of one whose choice was not measured is the measure of the supernet, under another name', () => {
    const epochs = [epoch(1, 900, { accuracy: 0.5 }), epoch(2, 900, { accuracy: 0.625 })];
    expect(run([supernet, ...epochs, { event: 'end', architecture: {} }])).toMatchObject({
      measure: { name: 'validation accuracy of the supernet', better: 'higher', isShare: true },
      value: 0.625,
    });
    expect(run([supernet, ...epochs])).toMatchObject({ finished: false, value: undefined });
  });

  test('of GPUs has cost their time, whatever the threads beside them', () => {
    const onGpu = { ...training, threads: 8 };
    expect(run([onGpu, epoch(1, 3600)])).toMatchObject({ device: 'GPU', hours: 1 });
  });

  test('has equal settings over seeds, threads and versions, and others for another architecture', () => {
    const other = { ...training, seed: 4, threads: 2, version: '0.2.0', task: { data: 'mnist', seed: 4 } };
    expect(run([other]).settings).toEqual(run([training]).settings);
    const another = { ...training, architecture: { space: 'darts-cnn', normal: [1] } };
    expect(run([another]).settings).not.toEqual(run([training]).settings);
  });

  test('is refused of what is no run, of an unknown kind and of a header that is not of its kind', () => {
    const folder = temporaryFolder();
    expect(() => resultOf(folder)).toThrow(`${folder}: not a run folder: it has no journal.jsonl`);
    expect(() => run([{ event: 'picnic' }])).toThrow(
      /:1: a run that begins with 'picnic' cannot be compared; known: run, train, supernet$/,
    );
    expect(() => run([{ event: 'run', seed: 1 }])).toThrow(/:1: not the begin of a run 'run': /);
  });
});
