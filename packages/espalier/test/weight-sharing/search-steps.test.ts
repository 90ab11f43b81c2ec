import { grad, manualSeed, noGrad, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { deriveSeed } from '../../src/random/random.js';
import { imageClassification } from '../../src/tasks/image-classification/definition.js';
import { languageModelling } from '../../src/tasks/language-modelling/definition.js';
import { darts } from '../../src/weight-sharing/darts.js';
import type { AnyWeightSharingDefinition } from '../../src/weight-sharing/definition.js';
import { gdas } from '../../src/weight-sharing/gdas.js';
import { gumbelChoice } from '../../src/weight-sharing/gumbel.js';
import { randomWeightSharing } from '../../src/weight-sharing/random-ws.js';
import { beginKnown, KnownTask } from './known-problem.js';

/** Training and validation batches whose alphas have gradients of opposite signs. */
const opposed = () =>
  new KnownTask({ train: [{ target: 3, slope: 1 }], validation: [{ target: -1, slope: -2 }] });
const train = (search: { trainEpoch(): Iterable<unknown> }) => [...search.trainEpoch()];

describe.each<[string, AnyWeightSharingDefinition]>([
  ['DARTS', darts],
  ['GDAS', gdas],
])('a step of %s', (_, definition) => {
  it('moves the alphas along the validation loss, and the weights along the training loss', () => {
    const { search, supernet } = beginKnown(definition, opposed(), {
      learningRate: 0.25,
      alphaLearningRate: 0.125,
    });
    train(search);
    // The gradient of the alphas is -2, and the first step of Adam is the learning rate against its sign.
    expect(supernet.alphas.toNumbers().map((value) => Math.round(value * 1e6) / 1e6)).toEqual([
      0.625, -0.375,
    ]);
    // w - 0.25 (w - 3) from w = 1.
    expect(supernet.w.item()).toBe(1.5);
  });

  it('has the weight decay of the alphas in their gradient', () => {
    const flat = () =>
      new KnownTask({ train: [{ target: 1, slope: 1 }], validation: [{ target: 1, slope: 0 }] });
    const moved = (alphaWeightDecay: number) => {
      const { search, supernet } = beginKnown(definition, flat(), {
        alphaLearningRate: 0.125,
        alphaWeightDecay,
      });
      train(search);
      return supernet.alphas.toNumbers().map((value) => Math.round(value * 1e4) / 1e4);
    };
    expect(moved(0)).toEqual([0.5, -0.5]);
    // Decay pulls both towards 0, by the learning rate in the first step of Adam.
    expect(moved(0.01)).toEqual([0.375, -0.375]);
  });

  it('moves the alphas by Adam, with both of its betas', () => {
    const batch = { target: 1, slope: 0 };
    const task = new KnownTask({
      train: [batch, batch],
      validation: [
        { target: 1, slope: -2 },
        { target: 1, slope: 4 },
      ],
    });
    const { search, supernet } = beginKnown(definition, task, {
      alphaLearningRate: 0.125,
      alphaBeta1: 0.5,
      alphaBeta2: 0.75,
    });
    train(search);
    // m = -1, v = 1; then m = 1.5, v = 4.75. Without bias: -2 / 2, then 2 / sqrt(4.75 / 0.4375).
    const moved = 0.125 * (1 - 2 / Math.sqrt(4.75 / 0.4375));
    expect(supernet.alphas.toNumbers()[0]).toBeCloseTo(0.5 + moved, 6);
  });

  it('clips the gradient of the weights, and adds their decay', () => {
    const { search, supernet } = beginKnown(definition, opposed(), {
      learningRate: 0.25,
      clip: 0.5,
      weightDecay: 0.1,
    });
    train(search);
    // The gradient -2 is clipped to -0.5; the decay of w = 1 is not.
    expect(supernet.w.item()).toBeCloseTo(1 - 0.25 * (-0.5 + 0.1), 6);
  });

  it('goes on along the momentum, with Nesterov if it is asked for', () => {
    const after = (nesterov: boolean) => {
      const task = new KnownTask({
        train: [
          { target: 3, slope: 0 },
          { target: 0, slope: 0 },
        ],
        validation: [{ target: 0, slope: 0 }],
      });
      const { search, supernet } = beginKnown(definition, task, {
        learningRate: 0.5,
        momentum: 0.5,
        nesterov,
      });
      train(search);
      return supernet.w.item();
    };
    // Gradient -2, velocity -2, w = 2; then gradient 2, velocity 1.
    expect(after(false)).toBe(2 - 0.5);
    // Along g + mu v: w = 1 + 0.5 * 3 = 2.5; then gradient 2.5, velocity 1.5, direction 3.25.
    expect(after(true)).toBe(2.5 - 0.5 * 3.25);
  });

  it('takes no gradient of the alphas in the step of the weights', () => {
    const { search, supernet } = beginKnown(definition, opposed(), { warmUp: 1 });
    train(search);
    expect(supernet.alphas.grad).toBeUndefined();
    expect(supernet.alphas.requiresGrad).toBe(true);
  });

  it('leaves the alphas alone in the epochs of the warm-up, and not one epoch longer', () => {
    const { search, supernet } = beginKnown(definition, opposed(), { epochs: 4, warmUp: 2 });
    const moves: boolean[] = [];
    for (let i = 0; i < 4; i++) {
      const before = supernet.alphas.toNumbers();
      train(search);
      moves.push(String(supernet.alphas.toNumbers()) !== String(before));
      // No validation loss where none was looked at.
      expect('validationLoss' in search.endEpoch()).toBe(i >= 2);
    }
    expect(moves).toEqual([false, false, true, true]);
  });
});

describe('the order of a step', () => {
  const seen = (definition: AnyWeightSharingDefinition) => {
    const task = opposed();
    const { search } = beginKnown(definition, task, { learningRate: 0.25 });
    train(search);
    return task.seen;
  };

  it('of DARTS is alphas, then weights', () => {
    expect(seen(darts)).toEqual([
      { part: 'validation', w: 1 },
      { part: 'train', w: 1 },
    ]);
  });

  it('of GDAS is weights, then alphas, as in its code', () => {
    expect(seen(gdas)).toEqual([
      { part: 'train', w: 1 },
      { part: 'validation', w: 1.5 },
    ]);
  });
});

describe('DARTS of second order', () => {
  const lookedAheadTo = (clipLookAhead: boolean) => {
    const task = opposed();
    const { search } = beginKnown(darts, task, { order: 2, learningRate: 0.25, clip: 0.5, clipLookAhead });
    train(search);
    return task.seen.find(({ part }) => part === 'validation')?.w;
  };

  it('looks ahead along the gradient, clipped if that is asked for', () => {
    // The gradient is -2.
    expect(lookedAheadTo(false)).toBe(1.5);
    expect(lookedAheadTo(true)).toBeCloseTo(1.125, 6);
  });

  it('clips the look-ahead on texts, and not on images, as its authors', () => {
    expect(darts.options(languageModelling).parse({}).clipLookAhead).toBe(true);
    expect(darts.options(imageClassification).parse({}).clipLookAhead).toBe(false);
  });
});

describe('the learning rate', () => {
  /** That of each epoch, read off the steps of w. */
  const rates = (given: object, length = 1) => {
    const task = new KnownTask({
      train: [{ target: 1000, slope: 0, length }],
      validation: [{ target: 0, slope: 0 }],
    });
    const { search, supernet } = beginKnown(darts, task, { clip: 1e9, ...given });
    const found: number[] = [];
    while (!search.trained) {
      const before = supernet.w.item();
      train(search);
      found.push((supernet.w.item() - before) / (1000 - before));
    }
    return found;
  };

  it('falls along half a cosine, from epoch to epoch, towards the final one', () => {
    const found = rates({ epochs: 4, learningRate: 0.5, finalLearningRate: 0.1 });
    const half = Math.SQRT1_2;
    for (const [i, expected] of [0.5, 0.3 + 0.2 * half, 0.3, 0.3 - 0.2 * half].entries())
      expect(found[i]).toBeCloseTo(expected, 9);
    expect(found).toHaveLength(4);
  });

  it('is multiplied by the length of a batch', () => {
    expect(rates({ epochs: 1, learningRate: 0.5, finalLearningRate: 0.1 }, 0.25)[0]).toBeCloseTo(0.125, 9);
  });
});

describe('the loss of an epoch', () => {
  it('is the mean over the inputs, so that batches count by their size', () => {
    const task = new KnownTask({
      train: [
        { target: 3, slope: 0, count: 3 },
        { target: 1, slope: 0, count: 1 },
      ],
      validation: [
        { target: 1, slope: 0 },
        { target: 0, slope: 0 },
      ],
    });
    const { search } = beginKnown(darts, task, { learningRate: 0.25 });
    const losses = [...search.trainEpoch()].map(({ loss }) => loss);
    // 2 for w = 1, then 0.125 for w = 1.5.
    expect(losses).toEqual([2, (3 * 2 + 0.125) / 4]);
    expect(search.lastLoss).toBe(losses[1]);
    // The mean over steps: 0 for w = 1, then 1.125 for w = 1.5.
    expect(search.endEpoch().validationLoss).toBe(0.5625);
  });

  it('is reported with the number of all epochs and steps', () => {
    const batch = { target: 3, slope: 0 };
    const { search } = beginKnown(darts, new KnownTask({ train: [batch], validation: [batch] }), {
      epochs: 3,
    });
    expect(train(search)).toEqual([{ epoch: 1, epochs: 3, step: 1, stepsPerEpoch: 1, loss: 2 }]);
  });
});

describe('the passes over the data', () => {
  it('are in another order each time', () => {
    const task = new KnownTask({
      train: [1, 2, 3].map((target) => ({ target, slope: 0 })),
      validation: [
        { target: 0, slope: 0 },
        { target: 0, slope: 0 },
      ],
    });
    const { search, seed } = beginKnown(darts, task, { epochs: 3 });
    while (!search.trained) train(search);
    const of = (name: 'train' | 'validation') =>
      task.passes.flatMap(({ part, training }) => (part === name ? [training] : []));
    expect(of('train')).toEqual([1, 2, 3].map((epoch) => ({ seed, epoch })));
    // Three steps an epoch take two passes over two validation batches.
    expect(of('validation')).toHaveLength(6);
    expect(new Set(of('validation').map((training) => training?.epoch)).size).toBe(6);
    expect(of('validation').every((training) => training?.seed === deriveSeed(seed, 'validation'))).toBe(
      true,
    );
  });
});

describe('the temperature of GDAS', () => {
  it('is the first one in a search of a single epoch', () => {
    const { search, supernet } = beginKnown(gdas, opposed(), { epochs: 1, tauFirst: 10, tauLast: 1 });
    search.trainEpoch().next();
    const gradientOf = (relaxation: (alphas: Tensor) => Tensor) => {
      manualSeed(3);
      return grad(relaxation(supernet.alphas).select(1, 0).sum(), [supernet.alphas])[0]!.toNumbers();
    };
    expect(gradientOf(supernet.relaxations.at(-1)!)).toEqual(
      gradientOf((alphas) => gumbelChoice(alphas, 10)),
    );
  });

  it('falls in a line from the first epoch to the last', () => {
    const { search, supernet } = beginKnown(gdas, opposed(), { epochs: 4, tauFirst: 10, tauLast: 1 });
    const gradientOf = (relaxation: (alphas: Tensor) => Tensor) => {
      manualSeed(3);
      return grad(relaxation(supernet.alphas).select(1, 0).sum(), [supernet.alphas])[0]!.toNumbers();
    };
    for (const tau of [10, 7, 4, 1]) {
      supernet.relaxations.length = 0;
      const steps = search.trainEpoch();
      steps.next();
      const expected = gradientOf((alphas) => gumbelChoice(alphas, tau));
      expect(gradientOf(supernet.relaxations.at(-1)!)).toEqual(expected);
      while (!steps.next().done);
      // Afterwards nothing is drawn: the first operation is the more probable.
      const after = noGrad(() => supernet.relaxations.at(-1)!(supernet.alphas).toNumbers());
      expect(after).toEqual([1, 0]);
    }
  });
});

describe('the options', () => {
  it.each<[string, AnyWeightSharingDefinition]>([
    ['darts', darts],
    ['gdas', gdas],
    ['random-ws', randomWeightSharing],
  ])('of %s hold out half of the images, and refuse what they do not know', (_, definition) => {
    expect(definition.validationShare).toBe(0.5);
    for (const schema of [definition.options(imageClassification), definition.options(languageModelling)])
      expect(schema.safeParse({ learningrate: 1 }).success).toBe(false);
  });

  it("of GDAS are its authors' where these differ from DARTS", () => {
    expect(gdas.options(imageClassification).parse({})).toMatchObject({
      epochs: 250,
      nesterov: true,
      weightDecay: 5e-4,
      learningRate: 0.025,
      finalLearningRate: 0.001,
      tauFirst: 10,
      tauLast: 0.1,
    });
    expect(darts.options(imageClassification).parse({})).toMatchObject({
      epochs: 50,
      nesterov: false,
      weightDecay: 3e-4,
    });
  });

  it('refuse Nesterov momentum without momentum', () => {
    const begin = () => beginKnown(darts, opposed(), { nesterov: true });
    expect(begin).toThrow(InputError);
    expect(begin).toThrow('nesterov = true: Nesterov momentum needs a momentum above 0');
  });
});
