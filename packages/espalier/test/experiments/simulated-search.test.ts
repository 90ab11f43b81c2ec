import { describe, expect, it } from 'vitest';
import { simulateSearch } from '../../src/experiments/simulated-search.js';
import { accuracy } from '../../src/measures/accuracy.js';
import type { Asked, Proposal, Strategy, TrialResult } from '../../src/strategies/strategy.js';
import type { Table, TableTrial } from '../../src/tables/table.js';

/** Architectures 0, 1, 2 ... by what they see, what they are judged by, and what they cost. */
const tableOf = (rows: readonly (readonly [number, number, number])[]) =>
  ({
    objectives: [accuracy],
    look({ answers, epochsDone }: TableTrial) {
      const [seen, judged, cost] = rows[answers[0] as number]!;
      return { seen, judged, cost: cost - (epochsDone ?? 0) };
    },
  }) as unknown as Table;

/** Asks for architectures one after the other, and notes what it was told. */
function listing(proposals: readonly Asked[]) {
  const told: TrialResult[] = [];
  let place = 0;
  const strategy: Strategy = {
    ask: () => proposals[place++] ?? 'finished',
    tell: (result) => {
      told.push(result);
    },
  };
  return { strategy, told };
}
const trials = (count: number): Proposal[] => Array.from({ length: count }, (_, i) => ({ answers: [i] }));

const rows = [
  [0.5, 0.6, 10],
  [0.7, 0.5, 4],
  [0.6, 0.9, 3],
  [0.8, 0.8, 5],
] as const;

describe('a search on a simulated clock', () => {
  it('has one trial after the other with one worker, and answers with the best that it saw', () => {
    const { strategy, told } = listing(trials(4));
    // The ends: 10, 14, 17, 22.
    expect(simulateSearch(strategy, tableOf(rows), 100, 1)).toEqual({
      trials: 4,
      improvements: [
        { seconds: 10, seen: 0.5, judged: 0.6 },
        { seconds: 14, seen: 0.7, judged: 0.5 },
        { seconds: 22, seen: 0.8, judged: 0.8 },
      ],
    });
    expect(told.map(({ trial }) => trial)).toEqual([0, 1, 2, 3]);
  });

  it('has several at once, and tells them in the order in which they end', () => {
    const { strategy, told } = listing(trials(4));
    // Trial 0 from 0 to 10; 1 from 0 to 4; 2 from 4 to 7; 3 from 7 to 12.
    expect(simulateSearch(strategy, tableOf(rows), 100, 2)).toEqual({
      trials: 4,
      improvements: [
        { seconds: 4, seen: 0.7, judged: 0.5 },
        { seconds: 12, seen: 0.8, judged: 0.8 },
      ],
    });
    expect(told.map(({ trial }) => trial)).toEqual([1, 2, 0, 3]);
  });

  it('tells trials that end at the same time in the order in which they began', () => {
    const { strategy, told } = listing(trials(3));
    simulateSearch(strategy, tableOf([rows[0], rows[0], rows[0]]), 100, 3);
    expect(told.map(({ trial }) => trial)).toEqual([0, 1, 2]);
  });

  it('counts results up to the budget and none after it', () => {
    expect(simulateSearch(listing(trials(4)).strategy, tableOf(rows), 17, 1).trials).toBe(3);
    expect(simulateSearch(listing(trials(4)).strategy, tableOf(rows), 16.9, 1).trials).toBe(2);
    expect(simulateSearch(listing(trials(4)).strategy, tableOf(rows), 9, 1)).toEqual({
      trials: 0,
      improvements: [],
    });
  });

  it('says what the continued trial has had', () => {
    const { strategy } = listing([
      { answers: [0], epochs: 8 },
      { answers: [0], epochs: 16, continues: 0 },
    ]);
    // The first takes 10 seconds, the second 10 - 8.
    expect(simulateSearch(strategy, tableOf(rows), 12, 1).trials).toBe(2);
    const again = listing([
      { answers: [0], epochs: 8 },
      { answers: [0], epochs: 16, continues: 0 },
    ]);
    expect(simulateSearch(again.strategy, tableOf(rows), 11.9, 1).trials).toBe(1);
  });

  it('asks again after a result when the strategy waits', () => {
    const { strategy, told } = listing([...trials(2), 'wait', { answers: [2] }]);
    simulateSearch(strategy, tableOf(rows), 100, 2);
    expect(told.map(({ answers }) => answers[0])).toEqual([1, 0, 2]);
  });
});
