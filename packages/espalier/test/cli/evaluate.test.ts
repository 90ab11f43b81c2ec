import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { addEvaluate } from '../../src/cli/evaluate.js';
import { addStatus } from '../../src/cli/status.js';
import { resultOf } from '../../src/kinds/kinds-of-run.js';
import { journalOf, journalReaches, kill, run, start } from './command.js';
import { printed, refusal } from './printed.js';
import { suiteFolder } from './suite-folder.js';
import { writeTinyCifar10 } from './tiny-cifar10.js';

const folder = suiteFolder();
writeTinyCifar10(join(folder, 'cifar'));
const at = (...path: string[]) => join(folder, ...path);

const search = (strategy: string, seed: number) => [
  ...[
    'search',
    '--space',
    'zoph-cnn',
    '--strategy',
    strategy,
    '--data',
    'cifar10:cifar',
    '--seed',
    `${seed}`,
  ],
  ...[
    '--out',
    `${strategy}-${seed}`,
    '--layers',
    '2',
    '--set',
    'filters=[4,6]',
    '--trials',
    '2',
    '--epochs',
    '1',
  ],
  ...['--batch-size', '32', '--limit', '100', '--workers', '1'],
];
const evaluation = (out: string, ...more: string[]) => [
  ...[
    'evaluate',
    'random-1',
    'random-2',
    'reinforce.json',
    '--seeds',
    '3',
    '--test-seeds',
    '2',
    '--out',
    out,
  ],
  ...['--epochs', '2', '--epochs-2', '1', '--batch-size', '32', '--limit', '120', '--threads', '1'],
  ...more,
];

type Event = Record<string, string | number | undefined>;
const eventsOf = (path: string): Event[] => journalOf(path).map((line) => JSON.parse(line));
const accuracyIn = (event: Event | undefined) =>
  (event as unknown as { measures: { accuracy: number } }).measures.accuracy;
const ofKind = (events: readonly Event[], kind: string) => events.filter(({ event }) => event === kind);

describe('espalier evaluate', () => {
  let summary: {
    stages: {
      stage: number;
      method: string;
      measure: string;
      n: number;
      mean: number;
      runs: { run: string; seed: number | null; value: number; hours: number }[];
    }[];
    differences: { first: string; second: string; pairs: number; difference: number; test: { p: number } }[];
    agreements: { method: string | null; architectures: number; note: string | null }[];
    costs: { stage: number; runs: number; cpuHours: number; gpuHours: number }[];
    picked: Record<string, string>;
    status: string;
  };

  beforeAll(async () => {
    for (const command of [search('random', 1), search('random', 2), search('reinforce', 1)])
      expect((await run(command, folder)).code).toBe(0);
    cpSync(at('reinforce-1', 'best.json'), at('reinforce.json'));
    const ended = await run(evaluation('whole', '--json'), folder);
    expect([ended.code, ended.stderr]).toEqual([
      0,
      expect.stringMatching(
        /stage 1 of 3, run 1 of 1: [\s\S]*stage 3 of 3, run 4 of 4: .*, about \d+ s left in all/,
      ),
    ]);
    summary = JSON.parse(ended.stdout);
  }, 240_000);

  it('searches with the seeds that are missing, trains all that was found, and tests the picks', () => {
    const events = eventsOf(at('whole'));
    expect(
      events.map(({ event, candidate, run, seed }) => [event, candidate ?? null, run ?? null, seed ?? null]),
    ).toEqual([
      ['evaluate', null, null, 1],
      ['searched', 'random-seed1', 'random-1', null],
      ['searched', 'random-seed2', 'random-2', null],
      ['searched', 'random-seed3', 'stage-1/random-seed3', null],
      ...['random-seed1', 'random-seed2', 'random-seed3', 'reinforce'].map((candidate) => [
        'trained',
        candidate,
        expect.stringMatching(/^stage-2\//),
        null,
      ]),
      ['picked', summary.picked.random, null, null],
      ['picked', summary.picked.reinforce, null, null],
      ...[1, 2].flatMap((seed) =>
        ['random', 'reinforce'].map((method) => [
          'tested',
          summary.picked[method],
          expect.stringMatching(new RegExp(`^stage-3/.*-seed${seed}$`)),
          seed,
        ]),
      ),
      ['end', null, null, null],
    ]);
    // Another seed and nothing else, so that it counts for the same method.
    const [first, third] = [resultOf(at('random-1')), resultOf(at('whole/stage-1/random-seed3'))];
    expect([third.seed, third.settings]).toEqual([3, first.settings]);
  });

  it("goes into the last stage with each method's best by validation data", () => {
    const trained = ofKind(eventsOf(at('whole')), 'trained');
    for (const method of ['random', 'reinforce']) {
      const its = trained.filter((one) => one.method === method) as unknown as {
        candidate: string;
        value: number;
      }[];
      const best = its.reduce((a, b) => (b.value > a.value ? b : a));
      expect(summary.picked[method]).toBe(best.candidate);
    }
  });

  it('looks at the test data in the last stage only', async () => {
    for (const { run } of ofKind(eventsOf(at('whole')), 'trained')) {
      const [begin, ...rest] = eventsOf(at('whole', run as string)) as unknown as Record<string, unknown>[];
      expect(begin).toMatchObject({ judge: 'validation' });
      expect(Object.keys(rest.at(-1) as object).sort()).toEqual([
        'details',
        'event',
        'judge',
        'loss',
        'measures',
      ]);
      expect(rest.at(-1)).toMatchObject({ judge: 'validation' });
    }
    for (const { run } of ofKind(eventsOf(at('whole')), 'tested')) {
      const [begin, ...rest] = eventsOf(at('whole', run as string)) as unknown as Record<string, unknown>[];
      expect(begin).not.toHaveProperty('judge');
      expect(Object.keys(rest.at(-1) as object).sort()).toEqual([
        'details',
        'event',
        'judge',
        'loss',
        'measures',
      ]);
      expect(rest.at(-1)).toMatchObject({ judge: 'test' });
    }

    // The same with other test images: nothing changes before stage 3, there only what the test says.
    cpSync(at('cifar'), at('other'), { recursive: true });
    const file = at('other', 'test_batch.bin');
    const bytes = readFileSync(file);
    for (let image = 0; image < 100; image++) bytes[image * 3073] = (image + 1) % 10;
    writeFileSync(file, bytes);
    expect((await run(evaluation('relabelled', '--data', 'cifar10:other'), folder)).code).toBe(0);
    const [ours, theirs] = [eventsOf(at('whole')), eventsOf(at('relabelled'))];
    const decided = ours.findIndex(({ event }) => event === 'tested');
    expect(theirs.slice(1, decided)).toEqual(ours.slice(1, decided));
    for (const { run } of ofKind(ours, 'tested')) {
      const [mine, its] = ['whole', 'relabelled'].map((name) => eventsOf(at(name, run as string))) as [
        Event[],
        Event[],
      ];
      expect(its.slice(1, -1)).toEqual(mine.slice(1, -1));
      expect(its.at(-1)?.loss).toBe(mine.at(-1)?.loss);
    }
    const values = (events: Event[]) => ofKind(events, 'tested').map(({ value }) => value);
    expect(values(theirs)).not.toEqual(values(ours));
  }, 120_000);

  it('tells each stage, the differences, the agreement and the cost as the journals have them', () => {
    expect(summary.status).toBe('finished');
    expect(summary.stages.map(({ stage, method, measure, n }) => [stage, method, measure, n])).toEqual([
      [1, 'random', 'validation accuracy', 3],
      [2, 'random', 'validation accuracy once trained', 3],
      [2, 'reinforce', 'validation accuracy once trained', 1],
      [3, 'random', 'test accuracy', 2],
      [3, 'reinforce', 'test accuracy', 2],
    ]);
    for (const { runs, mean } of summary.stages)
      expect(mean).toBeCloseTo(runs.reduce((sum, { value }) => sum + value, 0) / runs.length, 12);
    const [random, reinforce] = summary.stages.slice(3) as [
      (typeof summary.stages)[0],
      (typeof summary.stages)[0],
    ];
    const ends = random.runs.map(({ run }) => accuracyIn(eventsOf(at('whole', run)).at(-1)));
    expect(random.runs.map(({ value }) => value)).toEqual(ends);
    expect(summary.differences).toHaveLength(1);
    expect(summary.differences[0]).toMatchObject({ first: 'random', second: 'reinforce', pairs: 2 });
    expect(summary.differences[0]?.difference).toBeCloseTo(random.mean - reinforce.mean, 12);
    expect(summary.agreements.map(({ method, architectures }) => [method, architectures])).toEqual([
      ['random', 3],
      [null, 2],
    ]);
    expect(summary.agreements.at(-1)?.note).toBe('fewer than 3 architectures have hardly an order');
    for (const { stage, runs, cpuHours, gpuHours } of summary.costs) {
      const its = new Set(
        summary.stages.filter((one) => one.stage === stage).flatMap((one) => one.runs.map((r) => r.run)),
      );
      expect([runs, gpuHours]).toEqual([its.size, 0]);
      const hours = [...its].map(
        (run) => resultOf(run.startsWith('stage-') ? at('whole', run as string) : at(run)).hours,
      );
      expect(cpuHours).toBeCloseTo(
        hours.reduce((sum, one) => sum + one, 0),
        12,
      );
    }
  });

  it.each([
    ['a training that picks', 5],
    ['a training that is tested', 11],
  ])(
    'killed with -9 in %s and resumed from another folder, has the journal of one that was left alone',
    async (name, lines) => {
      const out = `killed in ${name}`;
      const { child, ended } = start(evaluation(out), folder);
      await journalReaches(at(out), lines, child);
      kill(child);
      expect((await ended).signal).toBe('SIGKILL');
      expect(journalOf(at(out)).length).toBeLessThan(journalOf(at('whole')).length);
      const resumed = await run(['resume', join('..', out)], at('cifar'));
      expect([resumed.code, resumed.stdout]).toEqual([0, expect.stringContaining(`${out}: finished`)]);
      expect(journalOf(at(out))).toEqual(journalOf(at('whole')));
      expect(existsSync(at(out, 'report.html'))).toBe(true);
    },
    120_000,
  );

  it('goes on after a training that diverges, which is told and not counted', async () => {
    const ended = await run(
      [
        ...['evaluate', 'random-1', 'random-2', '--test-seeds', '2', '--out', 'diverged', '--epochs', '1'],
        ...['--batch-size', '32', '--limit', '64', '--threads', '1', '--set', 'learningRate=1e30', '--json'],
      ],
      folder,
    );
    expect(ended.code).toBe(0);
    const { status, stages, picked, notes } = JSON.parse(ended.stdout);
    expect([status, picked]).toEqual(['finished', {}]);
    expect(stages.map(({ stage, n }: { stage: number; n: number }) => [stage, n])).toEqual([
      [1, 2],
      [2, 0],
    ]);
    expect(notes).toEqual([
      expect.stringMatching(/^stage-2\/random-seed1 failed: diverged/),
      expect.stringMatching(/^stage-2\/random-seed2 failed: diverged/),
      'No candidate of random could be trained, so nothing of it is tested.',
    ]);
  }, 60_000);

  it('takes architectures as they are: no search, and each is a method', async () => {
    const best = JSON.parse(readFileSync(at('random-1', 'best.json'), 'utf8'));
    writeFileSync(at('mine.json'), JSON.stringify(best));
    writeFileSync(at('twin.json'), JSON.stringify(best));
    const args = [
      ...[
        'evaluate',
        at('mine.json'),
        at('twin.json'),
        '--data',
        `cifar10:${at('cifar')}`,
        '--out',
        at('given'),
      ],
      ...[
        '--epochs',
        '1',
        '--test-seeds',
        '2',
        '--batch-size',
        '32',
        '--limit',
        '64',
        '--threads',
        '1',
        '--json',
      ],
    ];
    const { stages, notes, differences, costs } = JSON.parse(await printed(addEvaluate, args));
    expect(stages.map((one: { stage: number; method: string }) => [one.stage, one.method])).toEqual([
      [2, 'mine'],
      [2, 'twin'],
      [3, 'mine'],
      [3, 'twin'],
    ]);
    expect(notes).toEqual(['mine, twin: the same architecture, trained once.']);
    expect(differences[0]).toMatchObject({ difference: 0, test: { p: 1 } });
    expect(costs.map(({ runs }: { runs: number }) => runs)).toEqual([0, 1, 2]);
  }, 60_000);

  it('ranks the best children of a search again, which is paid once', async () => {
    const { code, stdout } = await run(
      [
        ...['evaluate', 'random-1', '--top', '9', '--test-seeds', '1', '--out', 'ranked', '--epochs', '1'],
        ...['--epochs-2', '1', '--batch-size', '32', '--limit', '120', '--threads', '1', '--json'],
      ],
      folder,
    );
    expect(code).toBe(0);
    const events = eventsOf(at('ranked'));
    const measured = ofKind(eventsOf(at('random-1')), 'result').map(accuracyIn);
    expect(ofKind(events, 'searched').map(({ candidate, value }) => [candidate, value])).toEqual(
      [...measured].sort((a, b) => b - a).map((value, place) => [`random-seed1-top${place + 1}`, value]),
    );
    const trained = ofKind(events, 'trained').map(({ candidate, value }) => [candidate, value] as const);
    expect(trained).toHaveLength(2);
    const [best] = [...trained].sort(([, one], [, other]) => Number(other) - Number(one));
    const { picked, costs, agreements } = JSON.parse(stdout);
    expect(picked).toEqual({ random: best![0] });
    expect(costs.map(({ runs }: { runs: number }) => runs)).toEqual([1, 2, 1]);
    expect(agreements).toMatchObject([{ method: 'random', first: 1, second: 2, architectures: 2 }]);
  }, 60_000);

  it('says its status, and is done again line by line', async () => {
    const status = JSON.parse(await printed(addStatus, ['status', at('whole'), '--json']));
    expect(status).toMatchObject({ status: 'finished', searched: 3, trained: 4, tested: 4 });
    const again = await run(['reproduce', 'diverged', '--json'], folder);
    expect([again.code, JSON.parse(again.stdout)]).toMatchObject([0, { equal: true, weightsEqual: null }]);
  }, 60_000);

  it('refuses what cannot be evaluated, and writes nothing', async () => {
    const out = at('refused');
    const given = (...args: string[]) =>
      refusal(addEvaluate, ['evaluate', ...args, '--out', out, '--threads', '1']);
    expect(await given('darts-v2')).toBe(
      '--data is missing: none of the arguments is a search that would say it',
    );
    expect(await given('darts-v2', '--seeds', '2', '--data', 'mnist')).toBe(
      '--seeds 2: none of the arguments is the folder of a search that could be repeated',
    );
    expect(await given('darts-v2', '--top', '2', '--data', 'mnist')).toBe(
      '--top 2: none of the arguments is the folder of a search',
    );
    expect(await given(at('random-1'), '--top', '2', '--seeds', '2')).toBe(
      '--top 2: with --seeds, each search has one candidate, its best',
    );
    const trained = at('whole', ofKind(eventsOf(at('whole')), 'tested')[0]?.run as string);
    expect(await given(trained)).toBe(
      `${trained}: a training; name the search or the file that its architecture is of`,
    );
    cpSync(at('random-1'), at('half'), { recursive: true });
    const journal = at('half', 'journal.jsonl');
    writeFileSync(journal, readFileSync(journal, 'utf8').split('\n').slice(0, -2).join('\n').concat('\n'));
    expect(await given(at('half'))).toBe(
      `${at('half')}: the search is not at its end; go on with it first: espalier resume ${at('half')}`,
    );
    cpSync(at('random-1'), at('copy'), { recursive: true });
    expect(await given(at('random-1'), at('copy'))).toBe(
      `${at('random-1')} and ${at('copy')} have the same settings and seed 1: they are one search`,
    );
    expect(await given(at('random-1'), '--set', 'nothing=1')).toMatch(
      /^--set nothing: there is no such option/,
    );
    expect(existsSync(out)).toBe(false);
  });
});
