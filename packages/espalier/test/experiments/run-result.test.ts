import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { resultOf } from '../../src/kinds/kinds-of-run.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { loss } from '../../src/measures/loss.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { version } from '../../src/version.js';
import { searchEvents, trainingEvent, writeRun } from '../reports/journals.js';
import { temporaryFolder } from '../runs/temporary-folder.js';

const run = (events: Parameters<typeof writeRun>[1]) =>
  resultOf(writeRun(join(temporaryFolder(), 'run'), events));

const training = trainingEvent({ space: 'darts-cnn', normal: [] }, { epochs: 2, device: 'cuda:1', seed: 3 });
const supernet = {
  event: 'supernet',
  version,
  space: 'darts-rnn',
  spaceOptions: {},
  strategy: 'darts',
  strategyOptions: { epochs: 2, device: 'cpu', order: 2 },
  task: { name: 'language-modelling', data: 'text:ptb/train', seed: 1 },
  dataChecksum: 'cd34',
  input: { vocabulary: 10_000 },
  objectives: [{ ...perplexity }, { ...loss }],
  seed: 3,
  threads: 4,
};
const epoch = (number: number, seconds: number, measures?: Readonly<Record<string, number>>) => ({
  event: 'epoch',
  epoch: number,
  loss: 1,
  ...(measures === undefined ? {} : { measures }),
  clock: { seconds },
});
const end = (measures: Readonly<Record<string, number>>, more = {}) => ({ event: 'end', measures, ...more });

describe('the result of a run', () => {
  test('of a search is the accuracy of its best child, and counts the time of failed children', () => {
    const result = run(
      searchEvents({ strategy: 'random', seed: 7, children: [[0.2, 0.4], null, [0.6, 0.5]] }),
    );
    expect(result).toMatchObject({
      kind: 'run',
      finished: true,
      strategy: 'random',
      space: 'zoph-cnn',
      data: 'mnist',
      dataChecksum: 'ab12',
      seed: 7,
      measure: { name: 'validation accuracy', better: 'higher', shown: 'percent' },
      value: 0.6,
      // Three children of half an hour on two threads.
      hours: 3,
      device: 'CPU',
      budget: { amount: 6, unit: 'epochs' },
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
      'estimation.estimator': 'training',
      'estimation.options.task.name': 'image-classification',
      'estimation.options.training.epochs': '2',
      'estimation.options.training.device': 'cpu',
      'estimation.source.name': 'mnist',
      'estimation.source.checksum': 'ab12',
      'estimation.input.channels': '1',
      'estimation.input.height': '28',
      'estimation.input.width': '28',
      'estimation.input.classes': '10',
      'estimation.costUnit': 'epochs',
      objectives: JSON.stringify([accuracy]),
      order: 'virtual',
      trials: '3',
      workers: '1',
    });
  });

  test('of a search for language models is the perplexity of its best child', () => {
    const children = [[0.2, 0.4].map((value) => value + 60), null, [0.6, 0.5].map((value) => value + 60)];
    expect(
      run(searchEvents({ strategy: 'random', seed: 7, children, objectives: [perplexity] })),
    ).toMatchObject({
      measure: { name: 'validation perplexity', better: 'lower', shown: 'hundredths' },
      value: 60.2,
      course: [
        { hours: 1, value: 60.2 },
        { hours: 3, value: 60.5 },
      ],
      children: [
        [60.2, 60.4],
        [60.6, 60.5],
      ],
    });
  });

  test('of a search without a limit of trials, or with epochs per trial, has what the trials cost as its budget', () => {
    const [begin] = searchEvents({ strategy: 'asha', seed: 7, children: [[0.1, 0.2, 0.3, 0.4]] });
    const trial = (number: number, more: object) => [
      { event: 'trial', trial: number, answers: [0, 0, 0, []], seed: 0, ...more },
      { event: 'result', trial: number, status: 'ok', measures: { accuracy: 0.5 }, cost: number + 1 },
    ];
    const events = [
      begin as Parameters<typeof writeRun>[1][0],
      ...trial(0, { epochs: 1 }),
      ...trial(1, { epochs: 3, continues: 0 }),
      ...trial(2, { epochs: 9, continues: 1 }),
    ];
    // 1 + 2 + 3 epochs, and not one child's four.
    expect(run(events).budget).toEqual({ amount: 6, unit: 'epochs' });
    const { trials: _, ...unlimited } = begin as Parameters<typeof writeRun>[1][0];
    const seconds = [{ ...unlimited, seconds: 60 }, ...trial(0, {}), ...trial(1, {})];
    expect(run(seconds).budget).toEqual({ amount: 3, unit: 'epochs' });
  });

  test('of an estimator without a unit of cost counts trials, and identifies the data by the name or file of the estimator', () => {
    const search = (estimation: object) =>
      run(searchEvents({ strategy: 'random', seed: 7, children: [[0.5], [0.25]], settings: { estimation } }));
    expect(search({ estimator: './own-estimator.ts', checksum: 'ee99', options: {} })).toMatchObject({
      data: 'own-estimator',
      dataChecksum: 'ee99',
      budget: { amount: 2, unit: 'trials' },
      device: 'CPU',
      // One thread where the estimator does not say.
      hours: 1,
    });
    expect(search({ estimator: 'table', options: {} })).toMatchObject({
      data: 'table',
      dataChecksum: 'table',
    });
  });

  test('of a training judged on validation data has another measure than that of a search', () => {
    const picks = { ...training, judge: 'validation' };
    expect(
      run([picks, epoch(1, 1), end({ accuracy: 0.75, loss: 1 }, { judge: 'validation' })]),
    ).toMatchObject({
      measure: { name: 'validation accuracy once trained' },
      value: 0.75,
    });
  });

  test('of an unfinished search is the best so far, and undefined if all children failed', () => {
    const under = searchEvents({ strategy: 'random', seed: 7, children: [[0.25], null], finished: false });
    expect(run(under)).toMatchObject({ finished: false, value: 0.25 });
    expect(run(searchEvents({ strategy: 'random', seed: 7, children: [null] })).value).toBeUndefined();
  });

  test('of a training is its test measure, once it has ended', () => {
    const epochs = [epoch(1, 1800), epoch(2, 5400)];
    expect(run([training, ...epochs, end({ accuracy: 0.9, loss: 1 })])).toMatchObject({
      kind: 'train',
      strategy: null,
      space: 'darts-cnn',
      measure: { name: 'test accuracy', better: 'higher' },
      value: 0.9,
      hours: 2,
      device: 'GPU',
      budget: { amount: 2, unit: 'epochs' },
      course: [],
    });
    expect(run([training, ...epochs])).toMatchObject({ finished: false, value: undefined });
    const language = { ...training, objectives: [{ ...perplexity }] };
    expect(run([language, ...epochs, end({ perplexity: 57.2, loss: 4 })])).toMatchObject({
      measure: { name: 'test perplexity', better: 'lower', shown: 'hundredths' },
      value: 57.2,
    });
  });

  test('of a search with shared weights is the measure of the architecture that it ends with', () => {
    const epochs = [epoch(1, 900, { perplexity: 300 }), epoch(2, 900, { perplexity: 250 })];
    const last = { ...end({ perplexity: 240 }), architecture: {}, clock: { seconds: 450 } };
    expect(run([supernet, ...epochs, last])).toMatchObject({
      kind: 'supernet',
      strategy: 'darts',
      space: 'darts-rnn',
      data: 'text',
      measure: { name: 'validation perplexity with shared weights', better: 'lower', shown: 'hundredths' },
      value: 240,
      budget: { amount: 2, unit: 'epochs' },
      // Two epochs of a quarter of an hour and a choice of half of that, on four threads.
      hours: 2.5,
      course: [
        { hours: 1, value: 300 },
        { hours: 2, value: 250 },
        { hours: 2.5, value: 240 },
      ],
    });
    const classifiers = { ...supernet, objectives: [{ ...accuracy }] };
    expect(run([classifiers, epoch(1, 1, { accuracy: 0.5 })]).measure.name).toBe(
      'validation accuracy with shared weights',
    );
  });

  test('of one that does not measure its choice is the measure of the supernet, under another name', () => {
    const classifiers = { ...supernet, objectives: [{ ...accuracy }] };
    const epochs = [epoch(1, 900, { accuracy: 0.5 }), epoch(2, 900, { accuracy: 0.625 })];
    expect(run([classifiers, ...epochs, { event: 'end', architecture: {} }])).toMatchObject({
      measure: { name: 'validation accuracy of the supernet', better: 'higher', shown: 'percent' },
      value: 0.625,
    });
    expect(run([classifiers, ...epochs])).toMatchObject({ finished: false, value: undefined });
  });

  test('on a GPU costs its time, however many threads run beside it', () => {
    const onGpu = { ...training, threads: 8 };
    expect(run([onGpu, epoch(1, 3600)])).toMatchObject({ device: 'GPU', hours: 1 });
  });

  test('has the same settings for any seed, threads, patch version and location of the data, and others for another architecture', () => {
    const patch = version.replace(/\d+$/, '99');
    const task = { name: 'image-classification', data: 'mnist', seed: 4 };
    const other = { ...training, seed: 4, threads: 2, version: patch, task, signature: '00ff' };
    expect(run([other]).settings).toEqual(run([training]).settings);
    const another = { ...training, architecture: { space: 'darts-cnn', normal: [1] } };
    expect(run([another]).settings).not.toEqual(run([training]).settings);
  });

  test('is rejected for a folder without a run, a run of an unknown kind, and a header of another kind', () => {
    const folder = temporaryFolder();
    expect(() => resultOf(folder)).toThrow(`${folder}: not a run folder: it has no journal.jsonl`);
    expect(() => run([{ event: 'picnic', version }])).toThrow(
      /:1: no run begins with 'picnic'; known: run, supernet, train, evaluate, tune, bench$/,
    );
    expect(() => run([{ event: 'run', version, seed: 1 }])).toThrow(/:1: a run cannot begin like this: /);
    expect(() => run([{ event: 'evaluate', version, seed: 1 }])).toThrow(
      /run: a run of kind 'evaluation' cannot be compared; comparable: search, search with shared weights, training$/,
    );
  });

  test('is rejected for a run of another version, which the message names', () => {
    for (const begin of [training, supernet, { event: 'run', seed: 1 }])
      expect(() => run([{ ...begin, version: '0.1.4' }])).toThrow(
        `the run was begun with Espalier 0.1.4, whose journals ${version} cannot read; use that version`,
      );
    const { version: _, ...old } = training;
    expect(() => run([old as typeof training])).toThrow(
      'the run was begun with an unknown version of Espalier',
    );
  });
});
