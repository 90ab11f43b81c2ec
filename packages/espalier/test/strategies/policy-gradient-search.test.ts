import { grad, scope, setThreads, type Tensor } from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Controller } from '../../src/controller/controller.js';
import { fromHost, toHost } from '../../src/controller/host-tensors.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { reinforce } from '../../src/strategies/reinforce.js';
import type { Proposal, Strategy, StrategyEvent, StrategySnapshot } from '../../src/strategies/strategy.js';
import { ok } from './outcomes.js';
import { SequentialReinforce } from './sequential-reinforce.js';

setThreads(1);

type Options = Parameters<typeof reinforce.create>[0]['options'];

/** A strategy whose trials are told by their numbers, in any order. */
class Played {
  readonly strategy: Required<Strategy>;
  readonly proposals: Proposal[] = [];

  constructor(space: Space, raw: Partial<Options>, seed = 1) {
    const options = resolveOptions('strategy reinforce', reinforce.options, raw) as unknown as Options;
    this.strategy = reinforce.create({ space, seed, options, objectives: [accuracy] }) as Required<Strategy>;
  }

  /** Asks for trials as long as it gets some, at most `most`. @returns how many it got */
  ask(most: number): number {
    for (let got = 0; got < most; got++) {
      const asked = this.strategy.ask();
      if (typeof asked === 'string') return got;
      this.proposals.push(asked);
    }
    return most;
  }

  tell(trial: number, accuracy = rewardOf(trial)): readonly StrategyEvent[] {
    const told = { ...this.proposals[trial]!, trial, outcome: ok(accuracy) };
    return this.strategy.tell(told) as readonly StrategyEvent[];
  }

  staleness(trial: number): unknown {
    return this.tell(trial).map((event) => event.staleness);
  }
}

/** Some accuracy for a trial. */
const rewardOf = (trial: number) => ((trial * 37) % 19) / 20;

const values = (snapshot: StrategySnapshot, prefix: string) =>
  scope(() => new Map([...fromHost(snapshot.tensors, prefix)].map(([name, one]) => [name, one.toNumbers()])));

const space = Space.configure(zophCnn, { layers: 2 });
const small = { children: 1, hidden: 4, growEvery: 0 };

describe('one replica', () => {
  const paper = { rewardPower: 3, baselineDecay: 0.95, layers: 2, initialRange: 0.08 };

  it.each([
    { ...paper, children: 4, learningRate: 0.01, entropyWeight: 0.1, hidden: 5, growEvery: 6, growBy: 1 },
    { ...paper, children: 1, learningRate: 0.0006, entropyWeight: 0, hidden: 35, growEvery: 0, growBy: 2 },
  ])('does to the bit what REINFORCE does without replicas: $children children', (settings) => {
    const { layers: controllerLayers, ...options } = settings;
    const played = new Played(space, { ...options, controllerLayers }, 7);
    const sequential = new SequentialReinforce(space, 7, settings);
    for (let begun = 0; begun < 16; begun += settings.children) {
      played.ask(settings.children);
      const expected = Array.from({ length: settings.children }, () => sequential.ask());
      expect(played.proposals.slice(begun)).toEqual(expected);
      for (const [place, proposal] of expected.entries()) {
        const event = sequential.tell(proposal, rewardOf(begun + place));
        expect(played.tell(begun + place)).toEqual(event === undefined ? [] : [{ ...event, staleness: [0] }]);
      }
    }
    const found = played.strategy.snapshot().tensors;
    const expected = scope(
      () =>
        new Map([
          ...toHost(sequential.controller.stateDict(), 'controller.'),
          ...toHost(sequential.optimizer.stateDict(), 'shard.0.adam.'),
        ]),
    );
    expect(found).toEqual(expected);
  });
});

describe('replicas', () => {
  it('draw with the parameters that are newest when they begin, and no replica waits for another', () => {
    const played = new Played(space, { ...small, replicas: 2, children: 2 });
    expect(played.ask(9)).toBe(4);
    // Trials 0 and 1 are the first replica's.
    expect([played.staleness(0), played.staleness(2), played.staleness(3)]).toEqual([[], [], [[0]]]);
    expect(played.ask(9)).toBe(2);
    expect([played.staleness(4), played.staleness(5)]).toEqual([[], [[0]]]);
    // Two updates since they were drawn.
    expect(played.staleness(1)).toEqual([[2]]);
  });

  it('push the gradient at the parameters with which they drew', () => {
    const played = new Played(space, { ...small, replicas: 2, baselineDecay: 0.5 });
    played.ask(2);
    const initial = played.strategy.snapshot();
    played.tell(1, 0.5);
    const between = played.strategy.snapshot();
    const [event] = played.tell(0, 1);
    expect(event).toMatchObject({ meanReward: 1, baseline: 0.125, staleness: [1] });
    scope(() => {
      const controller = new Controller({ hidden: 4, layers: 2, initialRange: 0.08, seed: 1 });
      for (const name of (initial.json as { server: { heads: string[] } }).server.heads)
        controller.addHead(name);
      controller.loadStateDict(fromHost(initial.tensors, 'controller.'));
      const parameters = [...controller.namedParameters()];
      const { logProbability } = controller.score([space.trace(played.proposals[0]!.answers)]);
      const gradients = grad(
        logProbability.mul(-(1 - 0.125)).sum(),
        parameters.map(([, parameter]) => parameter as Tensor),
        { allowUnused: true },
      );
      const [before, after] = [between, played.strategy.snapshot()].map((one) =>
        values(one, 'shard.0.adam.'),
      );
      let compared = 0;
      for (const [index, gradient] of gradients.entries()) {
        const g = gradient?.toNumbers() ?? [];
        const was = before!.get(`mean.${index}`);
        const is = after!.get(`mean.${index}`) ?? [];
        for (const [at, value] of g.entries()) {
          expect(is[at]).toBeCloseTo(0.9 * (was?.[at] ?? 0) + 0.1 * value, 7);
          if (Math.abs(value) > 1e-4) compared++;
        }
      }
      expect(compared).toBeGreaterThan(50);
      controller.free();
    });
  });

  it('compare their rewards with one baseline', () => {
    const played = new Played(space, { ...small, replicas: 3, baselineDecay: 0.5, rewardPower: 1 });
    played.ask(3);
    const baselines = [2, 0, 1].map((trial, place) => played.tell(trial, place / 4)[0]?.baseline);
    // 0 at first; then 0.5 * 0 + 0.5 * 0, and 0.5 * 0 + 0.5 * 0.25.
    expect(baselines).toEqual([0, 0, 0.125]);
  });

  it('have random numbers of their own', () => {
    const wide = Space.configure(zophCnn, { layers: 6 });
    const played = new Played(wide, { ...small, replicas: 3 });
    played.ask(3);
    expect(new Set(played.proposals.map(({ answers }) => JSON.stringify(answers))).size).toBe(3);
  });

  it('come to the same whatever the number of shards, where questions turn up later too', () => {
    const growing = { ...small, replicas: 3, growEvery: 5, growBy: 1, learningRate: 0.02 };
    const run = (shards: number) => {
      const played = new Played(space, { ...growing, shards, accumulate: 2 }, 4);
      const events: StrategyEvent[] = [];
      for (let trial = 0; trial < 18; trial++) {
        played.ask(3);
        // The results arrive in another order than they were asked for.
        events.push(...played.tell(trial % 3 === 0 ? trial + 1 : trial % 3 === 1 ? trial - 1 : trial));
      }
      return { events, controller: values(played.strategy.snapshot(), 'controller.') };
    };
    const [one, five] = [run(1), run(5)];
    expect(one.events).toHaveLength(9);
    expect(five).toEqual(one);
  });

  it('make one update of the gradients that are accumulated, with the mean of what is said of them', () => {
    const played = new Played(space, { ...small, replicas: 3, accumulate: 3, rewardPower: 1 });
    played.ask(3);
    expect([played.tell(1, 0.5), played.tell(0, 0.25)]).toEqual([[], []]);
    const before = values(played.strategy.snapshot(), 'controller.');
    expect(played.ask(1)).toBe(1);
    const [event] = played.tell(2, 0.75);
    expect(event).toMatchObject({ update: 1, meanReward: 0.5, staleness: [0, 0, 0] });
    expect(values(played.strategy.snapshot(), 'controller.')).not.toEqual(before);
    expect(played.ask(1)).toBe(1);
    played.tell(4);
    played.tell(3);
    played.ask(2);
    // Drawn before and after the first update.
    expect(played.staleness(5)).toEqual([[0, 1, 0]]);
  });
});

describe('a bound on staleness', () => {
  it.each([
    [0, 1, 1],
    [0, 3, 3],
    [1, 1, 2],
    [2, 1, 3],
    [1, 3, 5],
  ])(
    'of %i updates, with %i gradients for an update, lets %i replicas draw at first',
    (most, accumulate, begun) => {
      const played = new Played(space, { ...small, replicas: 5, accumulate, maxStaleness: most });
      expect(played.ask(9)).toBe(begun);
    },
  );

  it('holds in whatever order results arrive, and never stops a search', () => {
    const order = fc.array(fc.nat({ max: 20 }), { minLength: 12, maxLength: 12 });
    const some = fc.integer({ min: 0, max: 3 });
    fc.assert(
      fc.property(order, some, fc.integer({ min: 1, max: 3 }), (arrivals, maxStaleness, accumulate) => {
        const played = new Played(space, { ...small, replicas: 4, accumulate, maxStaleness });
        const open: number[] = [];
        for (const arrival of arrivals) {
          const before = played.proposals.length;
          const got = played.ask(4 - open.length);
          for (let trial = before; trial < before + got; trial++) open.push(trial);
          expect(open.length).toBeGreaterThan(0);
          const [trial] = open.splice(arrival % open.length, 1) as [number];
          for (const { staleness } of played.tell(trial))
            expect(Math.max(...(staleness as number[]))).toBeLessThanOrEqual(maxStaleness);
        }
        played.strategy.close();
      }),
      { numRuns: 15 },
    );
  });
});

describe('a snapshot of replicas', () => {
  it('holds the parameters of the replicas that have older ones, each version once', () => {
    const played = new Played(space, { ...small, replicas: 4 });
    played.ask(4);
    const copies = () => (played.strategy.snapshot().json as { copies: unknown[] }).copies.length;
    expect(copies()).toBe(0);
    played.tell(3);
    // Three replicas have the initial parameters.
    expect(copies()).toBe(1);
    played.ask(1);
    played.tell(0);
    expect(copies()).toBe(2);
  });

  it('is refused by a search of other replicas or shards', () => {
    const snapshot = new Played(space, { ...small, replicas: 2, shards: 2 }).strategy.snapshot();
    const refuse = (raw: Partial<Options>) => () =>
      new Played(space, { ...small, ...raw }).strategy.restore(snapshot);
    expect(refuse({ replicas: 3, shards: 2 })).toThrow('it has 2 replicas, not 3');
    expect(refuse({ replicas: 2, shards: 3 })).toThrow('it has 2 shards, not 3');
  });
});
