import { describe, expect, it } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import type { Measure } from '../../src/measures/measure.js';
import { perplexity } from '../../src/measures/perplexity.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { asha } from '../../src/strategies/asha.js';
import { hyperband } from '../../src/strategies/hyperband.js';
import { random } from '../../src/strategies/random.js';
import { sha } from '../../src/strategies/sha.js';
import type { AnyStrategyDefinition, Proposal, TrialOutcome } from '../../src/strategies/strategy.js';
import { branching } from '../space/tiny-spaces.js';
import { describeStrategy } from './conformance.js';
import { failed, ok } from './outcomes.js';

const space = Space.configure(zophCnn, { layers: 4 });
const rungs = { minEpochs: 2, maxEpochs: 18, eta: 3 };
// Nine begin. Until the first results there is nothing else to do.
describeStrategy(asha, space, { options: rungs, outstanding: 9 });
describeStrategy(asha, space, {
  options: { ...rungs, mispromotions: true, configurations: 20 },
  outstanding: 20,
});
describeStrategy(asha, Space.configure(branching), { options: { ...rungs, configurations: 99 } });
describeStrategy(sha, space, { options: rungs, outstanding: 9 });
describeStrategy(hyperband, space, { options: rungs, outstanding: 17 });

function resolved(definition: AnyStrategyDefinition, raw: object) {
  return resolveOptions(`strategy ${definition.name}`, definition.options, raw);
}

/** All proposals of a search with one worker. By default the earlier a child begins, the better it is. */
function proposals(
  definition: AnyStrategyDefinition,
  raw: object,
  objective: Measure = accuracy,
  outcomeOf = (child: number): TrialOutcome => ok(1 / (1 + child)),
): Proposal[] {
  const strategy = definition.create({
    space,
    seed: 3,
    options: resolved(definition, raw),
    objectives: [objective],
  });
  const asked: Proposal[] = [];
  const child: number[] = [];
  for (let proposal = strategy.ask(); typeof proposal !== 'string'; proposal = strategy.ask()) {
    const trial = asked.push(proposal) - 1;
    child.push(proposal.continues === undefined ? trial : child[proposal.continues]!);
    strategy.tell({ ...proposal, trial, outcome: outcomeOf(child[trial]!) });
  }
  expect(strategy.ask()).toBe('finished');
  return asked;
}

const written = (asked: readonly Proposal[]) =>
  asked
    .map(({ epochs, continues }) => `${continues === undefined ? '' : `${continues}>`}${epochs}`)
    .join(' ');

describe('asha', () => {
  it('promotes one in eta as soon as eta results are there, from the highest rung first', () => {
    expect(written(proposals(asha, rungs))).toBe('2 2 2 0>6 2 2 2 1>6 2 2 2 2>6 3>18');
  });

  it('promotes those of the lowest perplexity', () => {
    const models = proposals(asha, rungs, perplexity, (child) => ok(1 + child, perplexity));
    expect(models).toEqual(proposals(asha, rungs));
  });

  it('begins the architectures that random search would try', () => {
    const begun = proposals(asha, rungs).filter(({ continues }) => continues === undefined);
    const others = random.create({ space, seed: 3, options: { unique: true }, objectives: [accuracy] });
    expect(begun.map(({ answers }) => answers)).toEqual(begun.map(() => (others.ask() as Proposal).answers));
  });

  it.each([
    // Rungs of 1, 4, 16, 64, 256 and 300 epochs.
    [{}, { epochs: 300, trials: 1024 + 256 + 64 + 16 + 4 + 1 }],
    [{ maxEpochs: 3 }, { epochs: 3, trials: 4 + 1 }],
    [{ maxEpochs: 1 }, { epochs: 1, trials: 1 }],
    [
      { maxEpochs: 16, configurations: 10 },
      { epochs: 16, trials: 10 + 2 },
    ],
    [
      { maxEpochs: 16, configurations: 10, mispromotions: true },
      { epochs: 16, trials: 30 },
    ],
  ])('with %j plans %j', (raw, plan) => {
    expect(asha.plan?.(resolved(asha, raw) as never)).toEqual(plan);
  });

  it('refuses rungs that begin above their end', () => {
    expect(() => resolved(asha, { minEpochs: 5, maxEpochs: 4 })).toThrow(
      "strategy asha: option 'minEpochs' is 5: must not be more than maxEpochs",
    );
  });
});

describe('sha', () => {
  it('promotes once a rung is full', () => {
    expect(written(proposals(sha, rungs))).toBe('2 2 2 2 2 2 2 2 2 0>6 1>6 2>6 9>18');
  });

  it('promotes all that succeeded if fewer than one in eta did, up to the last rung', () => {
    // Of nine, children 4 and 7 succeed, where three could be promoted.
    const outcomeOf = (child: number) => (child === 4 || child === 7 ? ok(child / 10) : failed);
    expect(written(proposals(sha, rungs, accuracy, outcomeOf))).toBe('2 2 2 2 2 2 2 2 2 7>6 4>6 9>18');
  });

  it('is finished after the first rung if all children fail', () => {
    expect(written(proposals(sha, rungs, accuracy, () => failed))).toBe('2 2 2 2 2 2 2 2 2');
  });

  it('plans as many trainings as it makes', () => {
    expect(sha.plan?.(resolved(sha, rungs) as never)).toEqual({ epochs: 18, trials: 13 });
  });
});

describe('hyperband', () => {
  it('has the brackets of table 1 of the paper for R = 81, eta = 3', () => {
    const asked = proposals(hyperband, {});
    const begun = [1, 3, 9, 27, 81].map(
      (epochs) => asked.filter((one) => one.epochs === epochs && one.continues === undefined).length,
    );
    expect(begun).toEqual([81, 34, 15, 8, 5]);
    const trained = [1, 3, 9, 27, 81].map((epochs) => asked.filter((one) => one.epochs === epochs).length);
    expect(trained).toEqual([81, 27 + 34, 9 + 11 + 15, 3 + 3 + 5 + 8, 1 + 1 + 1 + 2 + 5]);
    expect(hyperband.plan?.(resolved(hyperband, {}) as never)).toEqual({ epochs: 81, trials: asked.length });
  });

  it('begins the next bracket while one waits for its results', () => {
    const strategy = hyperband.create({
      space,
      seed: 3,
      options: resolved(hyperband, { maxEpochs: 3 }) as never,
      objectives: [accuracy],
    });
    const asked = Array.from({ length: 5 }, () => strategy.ask());
    // ceil(2/2 3) = 3 on the first rung, ceil(2/1) = 2 on the second.
    expect(asked.map((one) => (one as Proposal).epochs)).toEqual([1, 1, 1, 3, 3]);
    expect(strategy.ask()).toBe('wait');
  });
});
