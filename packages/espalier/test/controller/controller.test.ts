import { backward, scope, setThreads, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { Controller, type ControllerOptions } from '../../src/controller/controller.js';
import type { ChoiceHead } from '../../src/controller/heads.js';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';
import { choose, type Program, subset } from '../../src/space/language.js';
import { defineSpace, Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { expectGradients } from '../networks/finite-differences.js';
import { branching, cell, nested } from '../space/tiny-spaces.js';
import { mixed } from './mixed-space.js';

setThreads(1);

const small: ControllerOptions = { hidden: 6, layers: 2, initialRange: 0.6, seed: 1 };

/** Probabilities and entropies of all decision sequences, in the order of the space, in float64. */
function scoreAll(space: Space, options: ControllerOptions = small) {
  const sequences = [...space.enumerate()];
  return scope(() => {
    const controller = inFloat64(space, options);
    const { logProbability, entropy } = controller.score(sequences.map((sequence) => space.trace(sequence)));
    const probabilities = logProbability.toNumbers().map(Math.exp);
    return { sequences, probabilities, entropies: entropy.toNumbers() };
  });
}

/** A controller with all heads of a space, in float64 so that sums are accurate to many digits. */
function inFloat64(space: Space, options: ControllerOptions): Controller {
  const controller = new Controller(options);
  controller.score([...space.enumerate()].map((sequence) => space.trace(sequence)));
  return controller.to({ dtype: 'float64' });
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

const spaces: readonly Space[] = [
  Space.configure(mixed),
  Space.configure(branching),
  Space.configure(cell),
  Space.configure(nested),
];

const question = (name: string, choices: () => Program<unknown>): Space =>
  Space.configure(defineSpace({ name, choices }));

const choiceOfFive = question('choice', function* () {
  return { one: yield* choose('one', [1, 2, 3, 4, 5]) };
});
const anyOfThree = question('any', function* () {
  const anchors = [yield* subset('a', []), yield* subset('b', []), yield* subset('c', [])];
  return { a: [], b: [], c: [], all: (yield* subset('all', anchors)).chosen };
});
const twoOfThree = question('two', function* () {
  const anchors = [yield* subset('a', []), yield* subset('b', []), yield* subset('c', [])];
  return { a: [], b: [], c: [], all: (yield* subset('all', anchors, 2)).chosen };
});

describe('the probabilities of a controller', () => {
  it.each(spaces)('add up to 1 over all decision sequences of $name', (space) => {
    const { probabilities, sequences } = scoreAll(space);
    expect(BigInt(sequences.length)).toBe(space.size());
    expect(sum(probabilities)).toBeCloseTo(1, 12);
    // The check is meaningful only if the probabilities differ.
    expect(Math.max(...probabilities) / Math.min(...probabilities)).toBeGreaterThan(1.5);
  });

  it('match the frequencies of its samples', () => {
    const space = Space.configure(mixed);
    const { sequences, probabilities } = scoreAll(space);
    const samples = 3000;
    const counts = new Map(sequences.map((sequence) => [space.key(sequence), 0]));
    const controller = new Controller(small);
    const random = Random.of(7, 'samples');
    for (let i = 0; i < samples; i++) {
      const key = space.key(controller.sampler().sample(space, random));
      counts.set(key, counts.get(key)! + 1);
    }
    expect(counts.size).toBe(96);
    const chiSquare = sum(
      sequences.map((sequence, index) => {
        const expected = samples * probabilities[index]!;
        return (counts.get(space.key(sequence))! - expected) ** 2 / expected;
      }),
    );
    // With 95 degrees of freedom, the mean is 95, and one seed in 2,500 exceeds 148.
    expect(chiSquare).toBeLessThan(148);
  });

  it('give the same samples for the same stream of random numbers', () => {
    const space = Space.configure(zophCnn, { layers: 3 });
    const sample = (seed: number) => {
      const controller = new Controller(small);
      const random = Random.of(seed, 'samples');
      return Array.from({ length: 5 }, () => controller.sampler().sample(space, random));
    };
    expect(sample(1)).toEqual(sample(1));
    expect(sample(1)).not.toEqual(sample(2));
  });

  it('are the same for sequences scored together and alone, in the given order', () => {
    const space = Space.configure(mixed);
    const random = Random.of(1, 'sequences');
    const sequences = Array.from({ length: 24 }, () => space.trace(space.sample(random)));
    expect(new Set(sequences.map(({ length }) => length))).toEqual(new Set([7, 8]));
    scope(() => {
      const controller = inFloat64(space, small);
      const together = controller.score(sequences);
      const alone = sequences.map((sequence) => controller.score([sequence]));
      for (const part of ['logProbability', 'entropy'] as const) {
        const values = together[part].toNumbers();
        expect(values.length).toBe(24);
        for (const [index, value] of values.entries())
          expect(value).toBeCloseTo(alone[index]![part].item(), 12);
      }
      expect(new Set(together.logProbability.toNumbers()).size).toBeGreaterThan(10);
    });
  });

  it('exist for a single unit too', () => {
    const { probabilities } = scoreAll(Space.configure(mixed), { ...small, hidden: 1 });
    expect(sum(probabilities)).toBeCloseTo(1, 12);
  });

  it('do not exist if there is nothing to decide', () => {
    const space = question('nothing', function* () {
      return { only: yield* choose('only', ['way']) };
    });
    const controller = new Controller(small);
    expect(controller.sampler().sample(space, Random.of(1, ''))).toEqual([0]);
    const score = () => controller.score([space.trace([0])]);
    expect(score).toThrow(InputError);
    expect(score).toThrow('every decision of the space has only one option');
  });
});

describe('the entropy of a controller', () => {
  const entropyOf = (probabilities: readonly number[]) => -sum(probabilities.map((p) => p * Math.log(p)));

  it.each([choiceOfFive, anyOfThree, twoOfThree])(
    'is -sum p log p for the single question of $name',
    (space) => {
      const { probabilities, entropies } = scoreAll(space);
      for (const entropy of entropies) expect(entropy).toBeCloseTo(entropyOf(probabilities), 12);
    },
  );

  it.each(spaces)('is -sum p log p on average over the decision sequences of $name', (space) => {
    const { probabilities, entropies } = scoreAll(space);
    const mean = sum(probabilities.map((probability, index) => probability * entropies[index]!));
    expect(mean).toBeCloseTo(entropyOf(probabilities), 12);
  });
});

describe('the parameters of a controller', () => {
  const paper: ControllerOptions = { hidden: 35, layers: 2, initialRange: 0.08, seed: 3 };
  const space = Space.configure(zophCnn, { layers: 2 });
  const ready = (options = paper) => {
    const controller = new Controller(options);
    controller.sampler().sample(space, Random.of(1, ''));
    return controller;
  };
  const values = (state: Iterable<[string, Tensor]>) =>
    new Map([...state].map(([name, tensor]) => [name, tensor.toNumbers()]));

  it('belong to two LSTM layers, to a softmax and an embedding per choice, and to one attention head', () => {
    const H = 35;
    const lstm = 2 * (4 * H * H + 4 * H * H + 2 * 4 * H);
    expect(new Controller(paper).parameterCount()).toBe(lstm + H);
    const choice = H * 4 + 4 + 4 * H;
    const attention = H * H + H * H + H;
    expect(ready().parameterCount()).toBe(lstm + H + 2 * 3 * choice + attention);
    expect(Object.keys(ready().heads)).toEqual([
      'choice/layers.0.filterHeight/4',
      'choice/layers.0.filterWidth/4',
      'choice/layers.0.filters/4',
      'subset/inputs',
      'choice/layers.1.filterHeight/4',
      'choice/layers.1.filterWidth/4',
      'choice/layers.1.filters/4',
    ]);
  });

  it('are initialised uniformly within +-0.08', () => {
    const all = [...values(ready().namedParameters()).values()].flat();
    const range = Math.fround(0.08);
    expect(all.every((value) => Math.abs(value) <= range)).toBe(true);
    // Of more than 20,000 values, a tenth lies in each tenth of the range, to within six standard deviations.
    const tenths = new Array<number>(10).fill(0);
    for (const value of all) tenths[Math.min(9, Math.floor(((value + range) / (2 * range)) * 10))]!++;
    for (const count of tenths)
      expect(Math.abs(count - all.length / 10)).toBeLessThan(6 * Math.sqrt(all.length * 0.1 * 0.9));
  });

  it('have the same initial values for the same seed, and different ones for another seed', () => {
    const start = (seed: number) => values(ready({ ...paper, seed }).namedParameters());
    expect(start(3)).toEqual(start(3));
    const [one, other] = [start(3), start(4)];
    for (const [name, numbers] of one) expect(other.get(name), name).not.toEqual(numbers);
  });

  it('of a head depend on the seed and the name, not on when the head is created', () => {
    const early = ready();
    const late = new Controller(paper);
    late.sampler().sample(Space.configure(mixed), Random.of(2, ''));
    late.sampler().sample(space, Random.of(3, ''));
    for (const [name, head] of Object.entries(early.heads)) {
      expect(values(late.heads[name]!.namedParameters()), name).toEqual(values(head.namedParameters()));
    }
    const alike = Object.entries(early.heads).filter(([name]) => name.startsWith('choice'));
    const starts = alike.map(([, head]) => JSON.stringify([...values(head.namedParameters())]));
    expect(new Set(starts).size).toBe(6);
  });

  it('of a head can be recreated from its name, even if the question has an unusual name', () => {
    const odd = question('odd', function* () {
      return { 'a/b': yield* choose('a/b', [1, 2, 3]), 'subset/c': yield* choose('subset/c', [1, 2]) };
    });
    const asked = new Controller(paper);
    asked.sampler().sample(odd, Random.of(1, ''));
    expect(Object.keys(asked.heads)).toEqual(['choice/a/b/3', 'choice/subset/c/2']);
    const made = new Controller(paper);
    for (const name of Object.keys(asked.heads)) made.addHead(name);
    expect(values(made.namedParameters())).toEqual(values(asked.namedParameters()));
  });

  it('have no gradient where nothing reads them: the embedding of the last answer', () => {
    const two = question('two', function* () {
      return { a: yield* choose('a', [1, 2]), b: yield* choose('b', [1, 2]) };
    });
    const controller = new Controller(small);
    scope(() => backward(controller.score([two.trace([0, 1])]).logProbability.sum()));
    const hasGradient = (name: string) =>
      (controller.heads[name] as ChoiceHead).embedding.weight.grad !== undefined;
    expect([hasGradient('choice/a/2'), hasGradient('choice/b/2')]).toEqual([true, false]);
  });

  it('have score gradients that agree with finite differences', () => {
    const mix = Space.configure(mixed);
    scope(() => {
      const controller = inFloat64(mix, { ...small, hidden: 3 });
      const random = Random.of(4, 'sequences');
      const sequences = Array.from({ length: 6 }, () => mix.trace(mix.sample(random)));
      expect(sequences.some(({ length }) => length === 8)).toBe(true);
      const loss = () => {
        const { logProbability, entropy } = controller.score(sequences);
        return logProbability.sum().add(entropy.sum().mul(0.7));
      };
      // Two of the subsets have no anchors, so their attention is never used.
      const used = [...controller.namedParameters()].filter(([name]) => !/links\.[02]/.test(name));
      expect(used.length).toBe(8 + 1 + 2 * 3 + 3 * 3);
      expectGradients(loss, new Map(used), 12);
    });
  });
});
