import { liveTensors } from '@espalier/torch';
import { describe, expect, it, test } from 'vitest';
import { z } from 'zod';
import { InputError } from '../../src/input-error.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { createStrategy } from '../../src/strategies/guarded-strategy.js';
import { random } from '../../src/strategies/random.js';
import { reinforce } from '../../src/strategies/reinforce.js';
import type { Proposal, Strategy, TrialOutcome, TrialResult } from '../../src/strategies/strategy.js';
import { branching, cell } from '../space/tiny-spaces.js';
import { failed, ok } from './outcomes.js';

const space = Space.configure(branching);
const start = { space, seed: 1, objectives: [accuracy] as const };

/** A strategy that calls these functions, with all checks. */
const guarded = (strategy: Partial<Strategy>, more: Partial<Parameters<typeof createStrategy>[1]> = {}) =>
  createStrategy(
    { name: 'mine', create: () => ({ ask: () => ({ answers: [0, 0] }), tell: () => [], ...strategy }) },
    { ...start, ...more },
  );

/** Expects an InputError with exactly this message. */
const expectRefusal = (act: () => unknown, message: string) => expect(act).toThrow(new InputError(message));

describe('a checked strategy', () => {
  it('passes proposals and results on as they are', () => {
    const told: TrialResult[] = [];
    const strategy = guarded({
      tell(result) {
        told.push(result);
        return [{ event: 'learned', from: result.trial }];
      },
    });
    expect(strategy.name).toBe('mine');
    const proposal = strategy.ask() as Proposal;
    expect(proposal).toEqual({ answers: [0, 0] });
    const result = { ...proposal, trial: 0, outcome: ok(0.5) };
    expect(strategy.tell(result)).toEqual([{ event: 'learned', from: 0 }]);
    expect(told).toEqual([result]);
  });

  it('has no events if the strategy returns none', () => {
    const strategy = guarded({ tell() {} });
    expect(strategy.tell({ ...(strategy.ask() as Proposal), trial: 0, outcome: failed })).toEqual([]);
  });

  test.each<Proposal>([
    { answers: [0] },
    { answers: [0, 7] },
    { answers: [0, 0, 0] },
    { answers: [[0], 0] },
    { answers: [0, 0], depth: -1 },
  ])('refuses the proposal %j, which is no architecture of its space', (proposal) => {
    const strategy = guarded({ ask: () => proposal });
    expect(() => strategy.ask()).toThrow(InputError);
    expect(() => strategy.ask()).toThrow('strategy mine proposes no architecture of its space: ');
  });

  it('takes decision sequences at the depth that they name', () => {
    const deep: Proposal = { answers: [4, 0, 0, 0, 0, 0], depth: 5 };
    expect(guarded({ ask: () => deep }).ask()).toBe(deep);
    expect(() => guarded({ ask: () => ({ answers: deep.answers }) }).ask()).toThrow(InputError);
    const shallow = guarded({ ask: () => deep }, { space: Space.configure(cell) });
    expect(() => shallow.ask()).toThrow('strategy mine proposes no architecture of its space: ');
  });

  test.each([
    [undefined, 'nothing'],
    [null, 'null'],
    [[0, 0], '[0,0]'],
    [{ architecture: 3 }, '{"architecture":3}'],
  ])('refuses to take %j for a proposal', (asked, shown) => {
    expectRefusal(
      () => guarded({ ask: () => asked as unknown as Proposal }).ask(),
      `strategy mine: ask() returns ${shown}; allowed: an object with the decision sequence as its key 'answers', ` +
        "'wait', 'finished'",
    );
  });

  it('refuses other words than wait and finished', () => {
    expectRefusal(
      () => guarded({ ask: () => 'done' as 'finished' }).ask(),
      "strategy mine: ask() returns 'done'; allowed: a proposal, 'wait', 'finished'",
    );
  });

  it('may wait while a trial is running, and not otherwise', () => {
    let asked: ReturnType<Strategy['ask']> = 'wait';
    const strategy = guarded({ ask: () => asked });
    const idle = "strategy mine waits for a result although no trial is running; it should say 'finished'";
    expectRefusal(() => strategy.ask(), idle);
    asked = { answers: [0, 0] };
    strategy.ask();
    asked = 'wait';
    expect(strategy.ask()).toBe('wait');
    strategy.tell({ answers: [0, 0], trial: 0, outcome: failed });
    expectRefusal(() => strategy.ask(), idle);
    asked = 'finished';
    expect(strategy.ask()).toBe('finished');
  });

  it('is told every trial once, and none that it did not ask for', () => {
    const told: number[] = [];
    const strategy = guarded({ tell: ({ trial }) => void told.push(trial) });
    const tell = (trial: number) => strategy.tell({ answers: [0, 0], trial, outcome: ok(0.5) });
    expectRefusal(() => tell(0), 'strategy mine: trial 0 was never asked for');
    for (let i = 0; i < 3; i++) strategy.ask();
    tell(2);
    tell(0);
    expectRefusal(() => tell(2), 'strategy mine: trial 2 has its result already');
    expectRefusal(() => tell(3), 'strategy mine: trial 3 was never asked for');
    tell(1);
    expect(told).toEqual([2, 0, 1]);
  });

  it('is told what it asked for, whatever becomes of its own answers', () => {
    const told: TrialResult[] = [];
    const answers = [4, 0, 0, 0, 0, 0];
    const proposal: Proposal = { answers, depth: 5, epochs: 9, continues: 0 };
    const strategy = guarded({ ask: () => proposal, tell: (result) => void told.push(result) });
    strategy.ask();
    answers[0] = 3;
    const right: TrialResult = {
      answers: [4, 0, 0, 0, 0, 0],
      depth: 5,
      epochs: 9,
      continues: 0,
      trial: 0,
      outcome: failed,
    };
    const refuse = (wrong: object, message: string) =>
      expectRefusal(
        () => strategy.tell({ ...right, ...wrong }),
        `strategy mine: the result of trial 0 is told with the ${message}`,
      );
    refuse({ answers }, 'answers [3,0,0,0,0,0]; it was asked for with [4,0,0,0,0,0]');
    refuse({ answers: [4] }, 'answers [4]; it was asked for with [4,0,0,0,0,0]');
    refuse({ depth: undefined }, 'depth undefined; it was asked for with 5');
    refuse({ epochs: 3 }, 'epochs 3; it was asked for with 9');
    refuse({ continues: 1 }, 'continues 1; it was asked for with 0');
    expect(told).toEqual([]);
    strategy.tell(right);
    expect(told).toEqual([right]);
  });

  const measured = (value: number, more: object = {}) =>
    ({ status: 'ok', value, goodness: value, measures: { accuracy: value }, ...more }) as TrialOutcome;
  test.each<[TrialOutcome, string]>([
    [measured(Number.NaN), 'the accuracy is NaN; allowed: 0 to 1'],
    [measured(Number.POSITIVE_INFINITY), 'the accuracy is Infinity; allowed: 0 to 1'],
    [measured(84.2), 'the accuracy is 84.2; allowed: 0 to 1'],
    [measured(-0.1), 'the accuracy is -0.1; allowed: 0 to 1'],
    [measured(0.5, { value: Number.NaN }), 'the value of trial 0 is NaN, but its accuracy is 0.5'],
    [measured(0.5, { value: 0.25 }), 'the value of trial 0 is 0.25, but its accuracy is 0.5'],
    [
      measured(0.5, { goodness: -0.5 }),
      'the goodness of trial 0 is -0.5, but its accuracy of 0.5 makes it 0.5',
    ],
    [
      measured(0.5, { goodness: Number.NaN }),
      'the goodness of trial 0 is NaN, but its accuracy of 0.5 makes it 0.5',
    ],
    [
      measured(0.5, { measures: { loss: 1 } }),
      "the measures are loss; the search is judged by 'accuracy', which is missing",
    ],
    [measured(0.5, { status: 'OK' }), "the status of trial 0 is 'OK'; allowed: 'ok', 'failed'"],
  ])('refuses the result %j', (outcome, message) => {
    const told: TrialResult[] = [];
    const strategy = guarded({ tell: (result) => void told.push(result) });
    const proposal = strategy.ask() as Proposal;
    expectRefusal(() => strategy.tell({ ...proposal, trial: 0, outcome }), `strategy mine: ${message}`);
    expect(told).toEqual([]);
    // The trial is still running, and a mended result is taken.
    strategy.tell({ ...proposal, trial: 0, outcome: ok(0.5) });
    expect(told).toHaveLength(1);
  });

  it('takes the negative of a measure that is better when lower for its goodness', () => {
    const strategy = guarded({}, { objectives: [perplexity] });
    const proposal = strategy.ask() as Proposal;
    const tell = (goodness: number) =>
      strategy.tell({
        ...proposal,
        trial: 0,
        outcome: { status: 'ok', value: 60, goodness, measures: { perplexity: 60 } },
      });
    expectRefusal(
      () => tell(60),
      'strategy mine: the goodness of trial 0 is 60, but its perplexity of 60 makes it -60',
    );
    expect(tell(-60)).toEqual([]);
  });
});

describe('the options of a created strategy', () => {
  const received: object[] = [];
  const definition = {
    name: 'mine',
    options: z.strictObject({ rate: z.number().max(1).default(0.5), size: z.int().default(4) }),
    create({ options }: { options: object }): Strategy {
      received.push(options);
      return { ask: () => 'finished', tell: () => [] };
    },
  };

  it('have their defaults if they are not named', () => {
    createStrategy(definition, { ...start, options: { size: 9 } });
    createStrategy(definition, start);
    expect(received).toEqual([
      { rate: 0.5, size: 9 },
      { rate: 0.5, size: 4 },
    ]);
  });

  it('are errors if they are misspelt or have a value that is not allowed', () => {
    expectRefusal(
      () => createStrategy(definition, { ...start, options: { rat: 0.5 } }),
      "strategy mine has no option 'rat'; did you mean 'rate'? its options: rate, size",
    );
    expect(() => createStrategy(definition, { ...start, options: { rate: 2 } })).toThrow(
      "strategy mine: option 'rate' is 2: ",
    );
    expectRefusal(
      () => createStrategy({ name: 'bare', create: definition.create }, { ...start, options: { a: 1 } }),
      "strategy bare has no option 'a'; it has no options",
    );
  });
});

describe('a snapshot of a checked strategy', () => {
  it('keeps which trials are running, and what was asked for', () => {
    const strategy = createStrategy(random, start);
    const proposals = [0, 1, 2].map(() => strategy.ask() as Proposal);
    const result = (trial: number): TrialResult => ({ ...proposals[trial]!, trial, outcome: ok(0.5) });
    strategy.tell(result(1));
    const resumed = createStrategy(random, start);
    resumed.restore!(JSON.parse(JSON.stringify({ ...strategy.snapshot!(), tensors: undefined })));
    expect(resumed.snapshot!()).toEqual(strategy.snapshot!());
    expectRefusal(() => resumed.tell(result(1)), 'strategy random: trial 1 has its result already');
    expectRefusal(
      () => resumed.tell({ ...result(0), trial: 3 }),
      'strategy random: trial 3 was never asked for',
    );
    const [first, , last] = proposals.map(({ answers }) => JSON.stringify(answers));
    expect(first).not.toBe(last);
    expectRefusal(
      () => resumed.tell({ ...result(2), trial: 0 }),
      `strategy random: the result of trial 0 is told with the answers ${last}; it was asked for with ${first}`,
    );
    for (const one of [strategy, resumed]) {
      one.tell(result(2));
      one.tell(result(0));
    }
    expect(resumed.ask()).toEqual(strategy.ask());
  });

  it('exists only if the strategy can take and restore one', () => {
    const snapshot = () => ({ json: null, tensors: new Map() });
    expect(guarded({}).snapshot).toBeUndefined();
    expect(guarded({ snapshot }).snapshot).toBeUndefined();
    expect(guarded({ snapshot }).restore).toBeUndefined();
    expect(guarded({ snapshot, restore() {} }).snapshot?.()).toEqual({
      json: { asked: 0, running: [], strategy: null },
      tensors: new Map(),
    });
  });

  test.each([
    null,
    { some: 'thing' },
    { asked: 1, running: [{ trial: -1, proposal: { answers: [0, 0] } }], strategy: null },
  ])('is refused if it is %j, and changes nothing then', (json) => {
    const strategy = createStrategy(random, start);
    strategy.ask();
    const before = strategy.snapshot!();
    const restore = () => strategy.restore!({ json, tensors: new Map() });
    expect(restore).toThrow(InputError);
    expect(restore).toThrow('not a snapshot of strategy random: ');
    expect(strategy.snapshot!()).toEqual(before);
  });

  it('is refused if the strategy refuses it, and changes nothing then', () => {
    const strategy = createStrategy(random, start);
    strategy.ask();
    const before = strategy.snapshot!();
    const json = { asked: 7, running: [], strategy: { random: 'seed' } };
    expect(() => strategy.restore!({ json, tensors: new Map() })).toThrow(InputError);
    expect(strategy.snapshot!()).toEqual(before);
  });
});

describe('a strategy that is closed', () => {
  it('frees the tensors of a controller, before and after updates', () => {
    const begun = { ...start, space: Space.configure(zophCnn, { layers: 3 }), options: { children: 2 } };
    const live = liveTensors();
    for (const rounds of [0, 1, 2]) {
      const strategy = createStrategy(reinforce, begun);
      for (let round = 0; round < rounds; round++) {
        const proposals = [strategy.ask(), strategy.ask()] as Proposal[];
        proposals.forEach((proposal, index) => {
          strategy.tell({ ...proposal, trial: 2 * round + index, outcome: ok(0.5 + index / 4) });
        });
      }
      strategy.ask();
      expect(liveTensors()).toBeGreaterThan(live);
      strategy.close();
      expect(liveTensors()).toBe(live);
    }
  });

  it('need not have anything to free', () => {
    expect(() => guarded({}).close()).not.toThrow();
  });
});
