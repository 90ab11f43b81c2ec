import { describe, expect, it } from 'vitest';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { DistinctStrategy } from '../../src/strategies/distinct-strategy.js';
import { evolution } from '../../src/strategies/evolution.js';
import { createStrategy } from '../../src/strategies/guarded-strategy.js';
import type {
  AnyStrategyDefinition,
  Asked,
  Proposal,
  Strategy,
  StrategyEvent,
  TrialResult,
} from '../../src/strategies/strategy.js';
import { branching } from '../space/tiny-spaces.js';
import { describeStrategy } from './conformance.js';
import { ok } from './outcomes.js';

const distinct = (definition: AnyStrategyDefinition): AnyStrategyDefinition => ({
  ...definition,
  name: `distinct ${definition.name}`,
  create: (start) => new DistinctStrategy(createStrategy(definition, start)),
});
describeStrategy(distinct(evolution), Space.configure(zophCnn, { layers: 2 }), {
  options: { population: 3, sample: 3 },
});

describe('a strategy that has nothing trained twice', () => {
  /** Asks for given architectures, and notes what it is told. */
  function listing(asked: readonly Asked[]) {
    const told: (readonly [number, unknown])[] = [];
    let place = 0;
    const inner: Strategy = {
      ask: () => asked[place++] ?? 'finished',
      tell({ trial, outcome }: TrialResult): StrategyEvent[] {
        told.push([trial, outcome.status === 'ok' ? outcome.value : 'failed']);
        return [{ event: 'heard', trial }];
      },
    };
    return { strategy: new DistinctStrategy(inner), told };
  }
  const of = (...digits: number[]): Proposal[] => digits.map((digit) => ({ answers: [digit] }));
  const tell = (strategy: Strategy, trial: number, digit: number, value: number) =>
    strategy.tell({ trial, answers: [digit], outcome: ok(value) });

  it('tells the known result of what is proposed again, with the events at the next result', () => {
    const { strategy, told } = listing(of(5, 5, 7));
    expect(strategy.ask()).toEqual({ answers: [5] });
    expect(tell(strategy, 0, 5, 0.4)).toEqual([{ event: 'heard', trial: 0 }]);
    expect(strategy.ask()).toEqual({ answers: [7] });
    expect(told).toEqual([
      [0, 0.4],
      [1, 0.4],
    ]);
    expect(tell(strategy, 1, 7, 0.6)).toEqual([
      { event: 'heard', trial: 1 },
      { event: 'heard', trial: 2 },
    ]);
  });

  it('tells the result of what is being measured to all that proposed it', () => {
    const { strategy, told } = listing(of(5, 5, 7, 5));
    expect([strategy.ask(), strategy.ask()]).toEqual(of(5, 7));
    tell(strategy, 0, 5, 0.4);
    expect(told).toEqual([
      [0, 0.4],
      [1, 0.4],
    ]);
    expect(strategy.ask()).toBe('finished');
    expect(told.at(-1)).toEqual([3, 0.4]);
  });

  it('trains longer what was trained, and goes on with the trial of the search', () => {
    const { strategy } = listing([
      { answers: [5], epochs: 1 },
      { answers: [5], epochs: 1 },
      { answers: [6], epochs: 1 },
      { answers: [6], epochs: 3, continues: 2 },
    ]);
    expect(strategy.ask()).toEqual({ answers: [5], epochs: 1 });
    // The third of the inner strategy is the second of the search.
    expect(strategy.ask()).toEqual({ answers: [6], epochs: 1 });
    expect(strategy.ask()).toEqual({ answers: [6], epochs: 3, continues: 1 });
  });

  it('ends when the strategy proposes nothing new any more, but waits for what is running', () => {
    const strategy = new DistinctStrategy({ ask: () => ({ answers: [5] }), tell: () => {} });
    strategy.ask();
    expect(strategy.ask()).toBe('wait');
    tell(strategy, 0, 5, 0.4);
    expect(strategy.ask()).toBe('finished');
  });

  it('tries each of the 14 architectures of a small space once', () => {
    const space = Space.configure(branching);
    const definition = distinct(evolution);
    const options = { population: 4, sample: 2 };
    const strategy = definition.create({
      space,
      seed: 1,
      options,
      objectives: [{ name: 'accuracy', better: 'higher' }],
    });
    const keys: string[] = [];
    for (let asked = strategy.ask(); typeof asked !== 'string'; asked = strategy.ask()) {
      strategy.tell({ ...asked, trial: keys.length, outcome: ok(0.5) });
      keys.push(space.key(asked.answers));
    }
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys).toHaveLength(14);
  });
});
