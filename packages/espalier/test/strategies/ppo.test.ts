import { grad, noGrad, scope, setThreads, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { Controller } from '../../src/controller/controller.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { Random } from '../../src/random/random.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { nasnet } from '../../src/spaces/nasnet.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { ppo, ppoPolicy } from '../../src/strategies/ppo.js';
import { reinforcePolicy } from '../../src/strategies/reinforce.js';
import type { Strategy, StrategyEvent } from '../../src/strategies/strategy.js';
import { mixed } from '../controller/mixed-space.js';
import { expectGradients } from '../networks/finite-differences.js';
import { describeStrategy } from './conformance.js';
import { ok } from './outcomes.js';

setThreads(1);

const tiny = { children: 2, hidden: 5 };
describeStrategy(ppo, Space.configure(nasnet, { blocks: 1 }), {
  options: { ...tiny, passes: 3 },
  outstanding: 2,
  trials: 7,
});
describeStrategy(ppo, Space.configure(zophCnn, { layers: 1 }), {
  options: { ...tiny, replicas: 3, shards: 2, accumulate: 2, passes: 2, growEvery: 6, growBy: 1 },
  outstanding: 6,
  trials: 10,
});

const space = Space.configure(mixed);

/** A controller in float64, some sequences of several shapes with advantages, and what older parameters made of them. */
function minibatch(moved: number) {
  const random = Random.of(4, 'sequences');
  const sequences = Array.from({ length: 6 }, () => space.trace(space.sample(random)));
  expect(new Set(sequences.map(({ length }) => length)).size).toBe(2);
  const controller = new Controller({ hidden: 3, layers: 2, initialRange: 0.6, seed: 1 });
  controller.score(sequences);
  controller.to({ dtype: 'float64' });
  const drawn = noGrad(() => controller.score(sequences).decisions);
  noGrad(() => {
    for (const parameter of controller.parameters())
      parameter.copy_(parameter.add(parameter.mul(17).sin(), { alpha: moved }));
  });
  return { controller, sequences, drawn, advantages: [0.5, -0.3, 0.2, -0.1, 0.7, -0.6] };
}

/** The parameters that the sequences use: two of the subsets have no anchors, so their attention is never used. */
const used = (controller: Controller) =>
  new Map([...controller.namedParameters()].filter(([name]) => !/links\.[02]/.test(name)));

describe('the log-probabilities by decision', () => {
  it('add up to those of the sequences, in the given order', () => {
    scope(() => {
      const { controller, sequences } = minibatch(0);
      const { logProbability, decisions } = controller.score(sequences);
      const sums = sequences.map(() => 0);
      let count = 0;
      for (const part of decisions) {
        const [rows, columns] = part.logProbability.shape as [number, number];
        expect(columns).toBe(part.sequences.length);
        for (const [at, value] of part.logProbability.toNumbers().entries())
          sums[part.sequences[at % columns]!]! += value;
        count += rows * columns;
      }
      for (const [index, value] of logProbability.toNumbers().entries())
        expect(value).toBeCloseTo(sums[index]!, 12);
      // One for every question with more than one answer.
      const asked = sequences
        .flat()
        .filter(({ question }) =>
          question.kind === 'choice' ? question.options.length > 1 : question.anchors.length > 0,
        );
      expect(count).toBe(asked.length);
    });
  });
});

describe('the gradient of ppo', () => {
  it('agrees with finite differences, where decisions are clipped and where not', () => {
    scope(() => {
      const { controller, sequences, ...batch } = minibatch(0.3);
      const policy = ppoPolicy({ clip: 0.05, passes: 1 });
      const gain = () => policy.gain(controller.score(sequences), batch);
      const { clipped } = gain().facts!;
      expect(clipped).toBeGreaterThan(0.1);
      expect(clipped).toBeLessThan(0.9);
      expectGradients(() => gain().gain, used(controller), 4);
    });
  });

  it("is REINFORCE's with an infinite clip at the parameters with which the children were drawn", () => {
    scope(() => {
      const { controller, sequences, ...batch } = minibatch(0);
      const parameters = [...used(controller).values()] as Tensor[];
      const gradient = (policy: typeof reinforcePolicy) =>
        grad(policy.gain(controller.score(sequences), batch).gain, parameters).flatMap((one) =>
          one.toNumbers(),
        );
      const [found, expected] = [
        gradient(ppoPolicy({ clip: Number.POSITIVE_INFINITY, passes: 1 })),
        gradient(reinforcePolicy),
      ];
      expect(Math.max(...expected.map(Math.abs))).toBeGreaterThan(0.01);
      for (const [index, value] of found.entries()) expect(value).toBeCloseTo(expected[index]!, 14);
    });
  });

  it('of REINFORCE agrees with finite differences, too', () => {
    scope(() => {
      const { controller, sequences, ...batch } = minibatch(0);
      expectGradients(
        () => reinforcePolicy.gain(controller.score(sequences), batch).gain,
        used(controller),
        4,
      );
    });
  });

  it('is none for decisions that went far enough the right way, and some for those that went the wrong way', () => {
    const oneChoice = Space.configure(nasnet, {
      blocks: 1,
      operations: ['skip_connect'],
      combinations: ['add'],
    });
    scope(() => {
      const sequences = [oneChoice.trace([0, 0, 0, 0, 0, 0, 0, 0, 0, 0])];
      const controller = new Controller({ hidden: 3, layers: 1, initialRange: 0.5, seed: 1 });
      const scored = controller.score(sequences);
      // Every decision is now 1.5 times as probable as when the child was drawn.
      const drawn = scored.decisions.map((part) => ({
        ...part,
        logProbability: part.logProbability.detach().sub(Math.log(1.5)),
      }));
      const gradient = (advantage: number) => {
        const { gain } = ppoPolicy({ clip: 0.2, passes: 1 }).gain(controller.score(sequences), {
          advantages: [advantage],
          drawn,
        });
        return grad(gain, [controller.cells[0]!.weight_ih as Tensor])[0]!
          .abs()
          .sum()
          .item();
      };
      expect(gradient(1)).toBe(0);
      expect(gradient(-1)).toBeGreaterThan(0.001);
    });
  });
});

describe('the updates of ppo', () => {
  const cells = Space.configure(nasnet, { blocks: 2 });

  function play(raw: object, trials: number) {
    const options = resolveOptions('strategy ppo', ppo.options, { hidden: 5, ...raw });
    const strategy = ppo.create({
      space: cells,
      seed: 3,
      options: options as unknown as Parameters<typeof ppo.create>[0]['options'],
      objectives: [accuracy],
    }) as Required<Strategy>;
    const events: StrategyEvent[] = [];
    for (let trial = 0; trial < trials; trial++) {
      const asked = strategy.ask();
      if (typeof asked === 'string') throw new Error(asked);
      const outcome = ok(((trial * 37) % 19) / 20);
      events.push(...(strategy.tell({ ...asked, trial, outcome }) as StrategyEvent[]));
    }
    return events;
  }

  it('are as many as there are passes, all with the baseline from before the minibatch', () => {
    const events = play({ children: 4, passes: 3, learningRate: 0.02, baselineDecay: 0 }, 8);
    expect(events.map(({ update, baseline, staleness }) => [update, baseline, staleness])).toEqual([
      // The mean of 0, 0.9, 0.85, 0.8 at first, then the last reward.
      ...[1, 2, 3].map((update) => [update, (0 + 0.9 + 0.85 + 0.8) / 4, [0]]),
      ...[4, 5, 6].map((update) => [update, 0.8, [0]]),
    ]);
  });

  it('clip decisions that move far, and none in the first pass', () => {
    const events = play({ children: 4, passes: 4, learningRate: 0.2, clip: 0.05 }, 4);
    const clipped = events.map((event) => event.clipped as number);
    expect(clipped[0]).toBe(0);
    expect(clipped.at(-1)).toBeGreaterThan(0.3);
  });
});

it("has the defaults of NASNet's appendix", () => {
  expect(resolveOptions('', ppo.options, {})).toMatchObject({
    controllerLayers: 1,
    hidden: 100,
    initialRange: 0.1,
    learningRate: 0.00035,
    children: 20,
    entropyWeight: 1e-5,
    baselineDecay: 0.95,
  });
});
