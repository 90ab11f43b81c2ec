import { describe, expect, it } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { choose } from '../../src/space/language.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { bananas } from '../../src/strategies/bananas.js';
import { random } from '../../src/strategies/random.js';
import type { AnyStrategyDefinition, Proposal } from '../../src/strategies/strategy.js';
import { branching, spaceOf } from '../space/tiny-spaces.js';
import { describeStrategy } from './conformance.js';
import { failed, ok } from './outcomes.js';

const quick = { initial: 4, batch: 4, candidates: 8, ensemble: 2, layers: 1, width: 4, epochs: 2 };
describeStrategy(bananas, Space.configure(zophCnn, { layers: 2 }), { options: quick, trials: 14 });
describeStrategy(bananas, Space.configure(branching), {
  options: quick,
  trials: 14,
  objectives: [perplexity],
});

describe('BANANAS', () => {
  const space = spaceOf(function* () {
    const digits: number[] = [];
    for (let i = 0; i < 8; i++) digits.push(yield* choose(`digit${i}`, [0, 1, 2, 3]));
    return digits;
  });
  /** Each digit adds to the value; 3 everywhere is the best of 65,536. */
  const worthOf = (answers: readonly unknown[]) =>
    (answers as number[]).reduce((sum, one) => sum + one, 0) / 24;

  function best(definition: AnyStrategyDefinition, given: object, trials: number): number {
    const options = resolveOptions('strategy', definition.options, given);
    const strategy = definition.create({ space, seed: 1, options, objectives: [accuracy] });
    let found = 0;
    for (let trial = 0; trial < trials; trial++) {
      const { answers } = strategy.ask() as Proposal;
      found = Math.max(found, worthOf(answers));
      strategy.tell({ trial, answers, outcome: ok(worthOf(answers)) });
    }
    return found;
  }

  it('finds the best of 65,536 architectures with a sum for a value in 80 trials; random search does not', () => {
    expect(best(bananas, { layers: 2, epochs: 60 }, 80)).toBe(1);
    expect(best(random, {}, 80)).toBeLessThan(0.85);
  });

  it('begins at random, and goes on at random while there are fewer than two values to learn from', () => {
    const options = resolveOptions('strategy', bananas.options, { ...quick, initial: 2 });
    const strategy = bananas.create({ space, seed: 1, options: options as never, objectives: [accuracy] });
    const proposals = new Set<string>();
    for (let trial = 0; trial < 6; trial++) {
      const { answers } = strategy.ask() as Proposal;
      proposals.add(String(answers));
      strategy.tell({ trial, answers, outcome: trial === 3 ? ok(0.5) : failed });
    }
    expect(proposals.size).toBe(6);
  });

  it('learns again after as many results as run at once, or as it knew, and never after fewer than a batch', () => {
    const options = resolveOptions('strategy', bananas.options, { ...quick, initial: 4, batch: 2 });
    const strategy = bananas.create({ space, seed: 1, options: options as never, objectives: [accuracy] });
    const running: Proposal[] = [];
    const ask = () => running.push(strategy.ask() as Proposal);
    const learned = () =>
      strategy.snapshot!().json as { trainings: number; learned: number } satisfies object;
    for (let i = 0; i < 16; i++) ask();
    const at: [number, number][] = [];
    let trainings = 0;
    for (let told = 1; told <= 60; told++) {
      const { answers } = running.shift()!;
      strategy.tell({ trial: told - 1, answers, outcome: ok(worthOf(answers)) });
      ask();
      const now = learned();
      if (now.trainings > trainings) at.push([now.trainings, now.learned]);
      trainings = now.trainings;
    }
    // 15 run when it is asked: after 2 results come 2, 4, 8 and then 15 more, or 16 where a batch of two ends later.
    expect(at).toEqual([
      [1, 2],
      [2, 4],
      [3, 8],
      [4, 16],
      [5, 32],
      [6, 48],
    ]);
    strategy.close!();
  });

  it('has finished when every architecture was proposed', () => {
    const small = Space.configure(branching);
    const options = resolveOptions('strategy', bananas.options, quick);
    const strategy = bananas.create({
      space: small,
      seed: 1,
      options: options as never,
      objectives: [accuracy],
    });
    const keys = new Set<string>();
    for (let asked = strategy.ask(); typeof asked !== 'string'; asked = strategy.ask()) {
      strategy.tell({ trial: keys.size, answers: asked.answers, outcome: ok(0.5 + keys.size / 100) });
      keys.add(small.key(asked.answers));
    }
    expect(keys.size).toBe(14);
  });
});
