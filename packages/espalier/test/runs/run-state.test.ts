import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { macs } from '../../src/measures/macs.js';
import { perplexity } from '../../src/measures/perplexity.js';
import type { JournalEvent } from '../../src/runs/journal-event.js';
import { RunState } from '../../src/runs/run-state.js';

const FILE = 'journal.jsonl';
const HEADER = {
  seed: 3,
  trials: 4,
  workers: 2,
  order: 'virtual' as const,
  objectives: [accuracy] as const,
  space: 'zoph-cnn',
};
const RUN = { event: 'run', ...HEADER, clock: { pid: 1 } } as unknown as JournalEvent;
const inArrivalOrder: JournalEvent = { ...RUN, order: 'arrival' };
const asked = (trial: number): JournalEvent => ({
  event: 'trial',
  trial,
  answers: [trial, [0, 1]],
  seed: 10 + trial,
});
const ok = (trial: number, value: number): JournalEvent => ({
  event: 'result',
  trial,
  status: 'ok',
  measures: { accuracy: value },
});
const failed = (trial: number, reason: string): JournalEvent => ({
  event: 'result',
  trial,
  status: 'failed',
  reason,
  clock: { seconds: 2 },
});

const EVENTS: readonly JournalEvent[] = [
  RUN,
  asked(0),
  asked(1),
  ok(0, 0.5),
  { ...asked(2), depth: 6 },
  failed(1, 'diverged'),
  { event: 'update', baseline: 0.1, clock: {} },
  asked(3),
  ok(2, 0.75),
  ok(3, 0.75),
  { event: 'end', best: { trial: 2, value: 0.75, measures: { accuracy: 0.75 } } },
];

describe('the state of a run', () => {
  test('counts the children whose architecture an earlier one has, and not a child that is trained further', () => {
    const same = (trial: number, more: object = {}): JournalEvent => ({
      ...asked(trial),
      answers: [0, [0, 1]],
      ...more,
    });
    const repeated = (...trials: readonly JournalEvent[]) =>
      RunState.of([{ ...RUN, trials: 9 }, ...trials], FILE).repeated;
    expect(repeated(asked(0), asked(1), asked(2))).toBe(0);
    expect(repeated(same(0), same(1), asked(2), same(3))).toBe(2);
    // The same answers at another depth are another network.
    expect(repeated(same(0, { depth: 4 }), same(1, { depth: 6 }), same(2, { depth: 4 }))).toBe(1);
    const further = same(1, { seed: 10, epochs: 3, continues: 0 });
    expect(repeated(same(0, { epochs: 1 }), ok(0, 0.5), further)).toBe(0);
  });

  test('has a trial without epochs last as long as one of one epoch, and a continued one as long as what it adds', () => {
    const state = RunState.of([{ ...RUN, workers: 3 }, asked(0), { ...asked(1), epochs: 1 }], FILE);
    // At the same time: the one asked for first.
    expect(state.next).toBe(0);
    state.apply(ok(0, 0.5));
    state.apply(ok(1, 0.5));
    // At time 1: until time 3 and, for the two epochs more, until time 3 as well.
    state.apply({ ...asked(2), epochs: 2 });
    state.apply({ ...asked(3), answers: [1, [0, 1]], seed: 11, epochs: 3, continues: 1 });
    expect(state.next).toBe(2);
    state.apply(ok(2, 0.5));
    expect(state.next).toBe(3);
  });

  test('is what its journal says', () => {
    const state = RunState.of(EVENTS, FILE);
    expect(state.header).toEqual(HEADER);
    expect(state.trials).toEqual([
      { trial: 0, answers: [0, [0, 1]], seed: 10, outcome: { status: 'ok', measures: { accuracy: 0.5 } } },
      {
        trial: 1,
        answers: [1, [0, 1]],
        seed: 11,
        outcome: { status: 'failed', reason: 'diverged', clock: { seconds: 2 } },
      },
      {
        trial: 2,
        answers: [2, [0, 1]],
        depth: 6,
        seed: 12,
        outcome: { status: 'ok', measures: { accuracy: 0.75 } },
      },
      { trial: 3, answers: [3, [0, 1]], seed: 13, outcome: { status: 'ok', measures: { accuracy: 0.75 } } },
    ]);
    expect(state).toMatchObject({ events: 11, told: 4, done: 3, failed: 1, finished: true, outstanding: [] });
    // Of two equally good trials, the first is the best.
    expect(state.best).toEqual({ trial: 2, value: 0.75, measures: { accuracy: 0.75 } });
    expect(state.curve).toEqual([
      { trial: 0, value: 0.5, best: 0.5 },
      { trial: 2, value: 0.75, best: 0.75 },
      { trial: 3, value: 0.75, best: 0.75 },
    ]);
    expect(state.failures).toEqual([{ trial: 1, reason: 'diverged' }]);
    expect(state.updates).toEqual([{ event: 'update', baseline: 0.1, clock: {} }]);
  });

  test('has the finished and the outstanding trials in the middle of a run', () => {
    const state = RunState.of(EVENTS.slice(0, 6), FILE);
    expect(state).toMatchObject({ events: 6, told: 2, done: 1, failed: 1, finished: false });
    expect(state.outstanding).toEqual([{ trial: 2, answers: [2, [0, 1]], depth: 6, seed: 12 }]);
    expect(state.best).toEqual({ trial: 0, value: 0.5, measures: { accuracy: 0.5 } });
  });

  test('is the same whether its events come at once or one by one', () => {
    const state = new RunState(RUN, FILE);
    EVENTS.slice(1).forEach((event, i) => {
      state.apply(event);
      expect(state).toEqual(RunState.of(EVENTS.slice(0, i + 2), FILE));
    });
  });

  describe('with trials that are continued', () => {
    const first = { ...asked(0), epochs: 1 };
    const onward = { ...first, trial: 2, epochs: 4, continues: 0 };
    const begun = [RUN, first, { ...asked(1), epochs: 4 }, ok(0, 0.5)];

    test('takes results in the order in which equally long epochs would end', () => {
      // Trial 0 ends after 1 epoch, trial 1 after 4; trial 2 begins at 1 and has 3 epochs left.
      const state = RunState.of([...begun, onward, ok(1, 0.25), ok(2, 0.75)], FILE);
      expect(state.results.map(({ trial }) => trial)).toEqual([0, 1, 2]);
      expect(() => RunState.of([RUN, first, { ...asked(1), epochs: 4 }, ok(1, 0.25)], FILE)).toThrow(
        'journal.jsonl:4: the result of trial 1 where that of trial 0 comes',
      );
      // Trial 1 ends after 5 epochs. With all its 4 epochs still to come, trial 2 would end then too, and come second.
      const ahead = RunState.of([RUN, first, { ...asked(1), epochs: 5 }, ok(0, 0.5), onward], FILE);
      expect(ahead.next).toBe(2);
      const overtaken = RunState.of(
        [RUN, { ...asked(0), epochs: 3 }, { ...asked(1), epochs: 2 }, ok(1, 0.5)],
        FILE,
      );
      expect(overtaken).toMatchObject({ next: 0, told: 1, outstanding: [{ trial: 0 }] });
      expect(overtaken.curve).toEqual([{ trial: 1, value: 0.5, best: 0.5 }]);
    });

    test('counts children, each of which may have several trials', () => {
      const state = RunState.of([...begun, onward, { ...asked(3), epochs: 1 }], FILE);
      expect(state.children).toBe(3);
      expect([0, 1, 2, 3].map((trial) => state.childOf(trial))).toEqual([0, 1, 0, 2]);
    });

    test.each([
      ['that has no result', { ...onward, ...asked(1), trial: 2, epochs: 5, continues: 1 }],
      ['that is not there', { ...onward, continues: 7 }],
      ['with as many epochs', { ...onward, epochs: 1 }],
      ['of other answers', { ...onward, answers: [1] }],
      ['of another seed', { ...onward, seed: 1 }],
    ])('refuses to continue one %s', (_, event) => {
      expect(() => RunState.of([...begun, event], FILE)).toThrow('journal.jsonl:5: trial 2 cannot continue');
    });

    test('refuses to continue a trial twice, or one that failed', () => {
      expect(() => RunState.of([...begun, onward, { ...onward, trial: 3, epochs: 9 }], FILE)).toThrow(
        'journal.jsonl:6: trial 3 cannot continue trial 0',
      );
      expect(() => RunState.of([RUN, first, failed(0, 'diverged'), { ...onward, trial: 1 }], FILE)).toThrow(
        'journal.jsonl:4: trial 1 cannot continue trial 0',
      );
    });
  });

  test('with perplexity as its objective has the lowest as its best, and the other objectives with it', () => {
    const result = (trial: number, value: number) => ({
      event: 'result',
      trial,
      status: 'ok',
      measures: { perplexity: value, loss: Math.log(value), macs: 100 + trial },
    });
    const begin = { ...RUN, objectives: [perplexity, macs] } as unknown as JournalEvent;
    const state = RunState.of(
      [begin, asked(0), result(0, 9), asked(1), result(1, 8), asked(2), result(2, 8)],
      FILE,
    );
    expect(state.best).toEqual({ trial: 1, value: 8, measures: { perplexity: 8, macs: 101 } });
    expect(state.curve.map(({ value, best }) => [value, best])).toEqual([
      [9, 9],
      [8, 8],
      [8, 8],
    ]);
  });

  test('in order of arrival takes results in any order', () => {
    const state = RunState.of([inArrivalOrder, asked(0), asked(1), ok(1, 0.5), asked(2), ok(2, 0.25)], FILE);
    expect(state.results.map(({ trial }) => trial)).toEqual([1, 2]);
    expect(state.outstanding).toEqual([{ trial: 0, answers: [0, [0, 1]], seed: 10 }]);
  });

  test('sums the costs, also those of failed trials, and has the seconds of the last event', () => {
    const state = RunState.of(
      [
        RUN,
        { ...asked(0), clock: { elapsed: 0.5 } },
        { ...ok(0, 0.5), cost: 1.5, clock: { elapsed: 2.5 } },
        asked(1),
        { ...failed(1, 'diverged'), cost: 0.25, clock: { elapsed: 4.125 } },
        asked(2),
        { ...ok(2, 0.5), clock: {} },
      ],
      FILE,
    );
    expect(state).toMatchObject({ cost: 1.75, seconds: 4.125 });
  });

  test('knows whether a limit was reached', () => {
    const events = [RUN, asked(0), { event: 'limit', limit: 'seconds' }, ok(0, 0.5)];
    expect(RunState.of(events.slice(0, 2), FILE).limited).toBe(false);
    expect(RunState.of(events, FILE)).toMatchObject({ limited: true, told: 1, updates: [], events: 4 });
  });

  test('has no best as long as every trial fails', () => {
    const state = RunState.of([RUN, asked(0), failed(0, 'timed out after 3 s')], FILE);
    expect(state).toMatchObject({ best: null, curve: [], failed: 1, done: 0 });
  });

  test.each([
    [[], 'journal.jsonl: the journal has no events'],
    [[asked(0)], "journal.jsonl:1: event 'trial': ✖ a journal begins with the event run"],
    [[{ ...RUN, seed: 'one' }], "journal.jsonl:1: event 'run'"],
    [[RUN, RUN], 'journal.jsonl:2: the run begins a second time'],
    [[RUN, asked(1)], 'journal.jsonl:2: trial 1 where trial 0 has to come'],
    [[RUN, ok(0, 1)], 'journal.jsonl:2: the result of trial 0, which was not asked for'],
    [
      [RUN, asked(0), asked(1), ok(1, 1)],
      'journal.jsonl:4: the result of trial 1 where that of trial 0 comes',
    ],
    [
      [inArrivalOrder, asked(0), ok(0, 1), ok(0, 1)],
      'journal.jsonl:4: the result of trial 0, which has its result already',
    ],
    [[RUN, asked(0), { ...ok(0, 1), measures: { accuracy: 'good' } }], 'journal.jsonl:3'],
    [[RUN, asked(0), ok(0, 84.2)], 'journal.jsonl:3: the accuracy is 84.2; allowed: 0 to 1'],
    [
      [RUN, asked(0), { event: 'result', trial: 0, status: 'ok', measures: { perplexity: 9 } }],
      "journal.jsonl:3: the measures are perplexity; the search is judged by 'accuracy', which is missing",
    ],
    [[RUN, { event: 'trial', trial: 0, answers: 'abc', seed: 1 }], "journal.jsonl:2: event 'trial'"],
    [[RUN, { event: 'end', best: null }, asked(0)], "journal.jsonl:3: 'trial' after the end"],
  ] as [JournalEvent[], string][])('cannot be that of %j', (events, message) => {
    expect(() => RunState.of(events, FILE)).toThrow(InputError);
    expect(() => RunState.of(events, FILE)).toThrow(message);
  });

  test('does not change through an event that cannot follow', () => {
    const state = RunState.of(EVENTS.slice(0, 4), FILE);
    expect(() => state.apply(ok(2, 1))).toThrow(InputError);
    expect(state).toEqual(RunState.of(EVENTS.slice(0, 4), FILE));
  });
});
