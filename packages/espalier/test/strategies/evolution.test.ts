import { describe, expect, it } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { choose } from '../../src/space/language.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { evolution } from '../../src/strategies/evolution.js';
import type { Proposal, Strategy } from '../../src/strategies/strategy.js';
import { branching, spaceOf } from '../space/tiny-spaces.js';
import { describeStrategy } from './conformance.js';
import { failed, ok } from './outcomes.js';

describeStrategy(evolution, Space.configure(zophCnn, { layers: 4 }), {
  options: { population: 6, sample: 3 },
});
describeStrategy(evolution, Space.configure(branching), {
  options: { population: 3, sample: 2 },
  objectives: [perplexity],
});

describe('regularised evolution', () => {
  /** Six digits, so that a mutant differs from its parent in one place. */
  const space = spaceOf(function* () {
    const digits: number[] = [];
    for (let i = 0; i < 6; i++) digits.push(yield* choose(`digit${i}`, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    return digits;
  });
  const begin = (population: number, sample: number, seed = 1) =>
    evolution.create({ space, seed, options: { population, sample }, objectives: [accuracy] });
  const asked = (strategy: Strategy) => (strategy.ask() as Proposal).answers as number[];
  const differences = (one: readonly number[], other: readonly number[]) =>
    one.filter((digit, i) => digit !== other[i]).length;

  it('mutates the best of the population in one answer when all of it is in the tournament', () => {
    const strategy = begin(4, 200);
    const first = Array.from({ length: 4 }, () => asked(strategy));
    for (const [trial, answers] of first.entries())
      strategy.tell({ trial, answers, outcome: ok([0.2, 0.9, 0.3, 0.4][trial] as number) });
    for (let child = 0; child < 5; child++) expect(differences(asked(strategy), first[1]!)).toBe(1);
  });

  it('lets the oldest die, not the worst', () => {
    const strategy = begin(2, 200);
    const [oldest, second] = [asked(strategy), asked(strategy)];
    strategy.tell({ trial: 0, answers: oldest, outcome: ok(0.9) });
    strategy.tell({ trial: 1, answers: second, outcome: ok(0.1) });
    const third = asked(strategy);
    expect(differences(third, oldest)).toBe(1);
    // The best, of 0.9, is the oldest of three.
    strategy.tell({ trial: 2, answers: third, outcome: ok(0.5) });
    const fourth = asked(strategy);
    expect(differences(fourth, third)).toBe(1);
    strategy.tell({ trial: 3, answers: fourth, outcome: ok(0.05) });
    strategy.tell({ trial: 4, answers: asked(strategy), outcome: ok(0.01) });
    expect(differences(asked(strategy), fourth)).toBe(1);
  });

  it('prefers low values of a measure that is better when lower', () => {
    const strategy = evolution.create({
      space,
      seed: 1,
      options: { population: 2, sample: 200 },
      objectives: [perplexity],
    });
    const [worse, better] = [asked(strategy), asked(strategy)];
    strategy.tell({ trial: 0, answers: worse, outcome: ok(80, perplexity) });
    strategy.tell({ trial: 1, answers: better, outcome: ok(60, perplexity) });
    expect(differences(asked(strategy), better)).toBe(1);
  });

  it('draws the tournament with replacement: of two, the worse wins a quarter of tournaments of two', () => {
    const strategy = begin(2, 2);
    const [worse, better] = [asked(strategy), asked(strategy)];
    strategy.tell({ trial: 0, answers: worse, outcome: ok(0.1) });
    strategy.tell({ trial: 1, answers: better, outcome: ok(0.9) });
    const children = Array.from({ length: 2000 }, () => asked(strategy));
    const share = children.filter((child) => differences(child, worse) === 1).length / children.length;
    // Three standard deviations of a share of 2,000 draws.
    expect(Math.abs(share - 0.25)).toBeLessThan(3 * Math.sqrt((0.25 * 0.75) / 2000));
  });

  it('has no failed child as a parent, and goes on at random while all have failed', () => {
    const strategy = begin(2, 200);
    for (let trial = 0; trial < 4; trial++)
      strategy.tell({ trial, answers: asked(strategy), outcome: failed });
    const good = asked(strategy);
    strategy.tell({ trial: 4, answers: good, outcome: ok(0.1) });
    expect(differences(asked(strategy), good)).toBe(1);
  });

  it('has the published settings by default', () => {
    expect(resolveOptions('evolution', evolution.options, {})).toEqual({ population: 100, sample: 25 });
  });
});
