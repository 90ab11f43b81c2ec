import { describe, expect, it } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { choose } from '../../src/space/language.js';
import { Space } from '../../src/space/space.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { localSearch } from '../../src/strategies/local-search.js';
import type { Strategy } from '../../src/strategies/strategy.js';
import { spaceOf } from '../space/tiny-spaces.js';
import { describeStrategy } from './conformance.js';
import { failed, ok } from './outcomes.js';

describeStrategy(localSearch, Space.configure(zophCnn, { layers: 2 }), {
  options: { initial: 3 },
});
describeStrategy(localSearch, Space.configure(zophCnn, { layers: 2 }), {
  options: { initial: 1, wholeNeighbourhood: false },
});
describeStrategy(localSearch, Space.configure(dartsRnn, { nodes: 3 }), { objectives: [perplexity] });

describe('local search', () => {
  /** 4 x 4 x 4 architectures. */
  const space = spaceOf(function* () {
    return [
      yield* choose('a', [0, 1, 2, 3]),
      yield* choose('b', [0, 1, 2, 3]),
      yield* choose('c', [0, 1, 2, 3]),
    ];
  });
  /** A rising landscape of 64 different values with valleys in it. */
  const worthOf = (answers: readonly unknown[]) => {
    const [a, b, c] = answers as [number, number, number];
    const height = 3 * a + 2 * b + 1.5 * c + 2 * ((a * b + 2 * c) % 4);
    return height / 32 + (16 * a + 4 * b + c) / 10_000;
  };
  const begin = (options: { initial: number; wholeNeighbourhood: boolean }, seed = 3) =>
    localSearch.create({ space, seed, options, objectives: [accuracy] });

  /** All that is proposed, one after the other, until the search has finished. */
  function play(strategy: Strategy, judge = worthOf): number[][] {
    const proposed: number[][] = [];
    for (let asked = strategy.ask(); typeof asked !== 'string'; asked = strategy.ask()) {
      const { answers } = asked;
      strategy.tell({ trial: proposed.length, answers, outcome: ok(judge(answers)) });
      proposed.push([...answers] as number[]);
    }
    return proposed;
  }

  it('climbs as brute force does: all neighbours of the best, and on to the best of them', () => {
    let steps = 0;
    for (const seed of [1, 2, 3, 4, 5]) {
      const proposed = play(begin({ initial: 2, wholeNeighbourhood: true }, seed));
      const seen = new Set(proposed.slice(0, 2).map(String));
      let centre = proposed.slice(0, 2).reduce((best, one) => (worthOf(one) > worthOf(best) ? one : best));
      for (let place = 2; ; steps++) {
        const neighbours = [...space.neighbours(centre)].map((one) => [...one] as number[]);
        const fresh = neighbours.filter((one) => !seen.has(String(one)));
        const tried = proposed.slice(place, place + fresh.length);
        expect(new Set(tried.map(String))).toEqual(new Set(fresh.map(String)));
        place += fresh.length;
        for (const one of tried) seen.add(String(one));
        const best = neighbours.reduce((first, one) => (worthOf(one) > worthOf(first) ? one : first));
        if (worthOf(best) <= worthOf(centre)) break;
        centre = best;
      }
    }
    expect(steps).toBeGreaterThan(5);
  });

  it('tries every architecture once, and has finished when there are no more', () => {
    for (const wholeNeighbourhood of [true, false]) {
      const proposed = play(begin({ initial: 2, wholeNeighbourhood }));
      expect(new Set(proposed.map(String)).size).toBe(proposed.length);
      expect(proposed).toHaveLength(64);
    }
  });

  it('steps to the first better neighbour if it need not try them all', () => {
    const proposed = play(begin({ initial: 1, wholeNeighbourhood: false }));
    let centre = proposed[0]!;
    let steps = 0;
    for (const one of proposed.slice(1)) {
      const changed = one.filter((value, i) => value !== centre[i]).length;
      if (changed !== 1) break;
      if (worthOf(one) > worthOf(centre)) {
        centre = one;
        steps++;
      }
    }
    expect(steps).toBeGreaterThan(1);
    const neighbours = [...space.neighbours(centre)];
    expect(neighbours.every((one) => worthOf(one) <= worthOf(centre))).toBe(true);
  });

  it('tries all neighbours before it steps, and begins another climb rather than wait for them', () => {
    const strategy = begin({ initial: 1, wholeNeighbourhood: true });
    const ask = () => (strategy.ask() as { answers: number[] }).answers;
    const differences = (one: number[], other: number[]) =>
      one.filter((value, i) => value !== other[i]).length;
    let trial = 0;
    const tell = (answers: number[], value?: number) =>
      strategy.tell({ trial: trial++, answers, outcome: value === undefined ? failed : ok(value) });
    const first = ask();
    const elsewhere = ask();
    tell(first, 0.5);
    const neighbours = Array.from({ length: 9 }, ask).filter((one) => differences(one, first) === 1);
    // One of them may be where the other climb began.
    const isNeighbour = differences(elsewhere, first) === 1;
    expect(neighbours).toHaveLength(isNeighbour ? 8 : 9);
    for (const [i, answers] of neighbours.slice(0, -1).entries())
      tell(answers, i === 0 ? undefined : i === 4 ? 0.9 : 0.1);
    // The last neighbour is running: what is proposed now belongs to a climb of its own.
    expect(differences(ask(), neighbours[4]!)).not.toBe(1);
    tell(neighbours.at(-1)!, 0.2);
    expect(differences(ask(), neighbours[4]!)).toBe(1);
  });

  it('waits for what another climb has running in its neighbourhood, and learns from it', () => {
    /** Four architectures in a row: each has the three others for neighbours. */
    const row = spaceOf(function* () {
      return yield* choose('a', [0, 1, 2, 3]);
    });
    const strategy = localSearch.create({
      space: row,
      seed: 1,
      options: { initial: 1, wholeNeighbourhood: true },
      objectives: [accuracy],
    });
    const ask = () => (strategy.ask() as { answers: number[] }).answers;
    const [one, two] = [ask(), ask()];
    strategy.tell({ trial: 0, answers: one, outcome: ok(0.5) });
    const [three, four] = [ask(), ask()];
    expect(new Set([one, two, three, four].map(String)).size).toBe(4);
    expect(strategy.ask()).toBe('wait');
    strategy.tell({ trial: 2, answers: three, outcome: ok(0.4) });
    strategy.tell({ trial: 3, answers: four, outcome: failed });
    // Of the first climb only the beginning of the second one is running.
    expect(strategy.ask()).toBe('wait');
    strategy.tell({ trial: 1, answers: two, outcome: ok(0.6) });
    expect(strategy.snapshot!().json).toMatchObject({
      climbs: [
        { best: { answers: two, goodness: 0.6 }, awaited: [] },
        { best: { answers: two, goodness: 0.6 } },
      ],
    });
    expect(strategy.ask()).toBe('finished');
  });
});
