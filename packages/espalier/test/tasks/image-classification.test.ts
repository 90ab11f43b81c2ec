import { join } from 'node:path';
import { nn, noGrad, scope, setThreads, type Tensor, tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import type { Augmentation } from '../../src/data/augmentation.js';
import { batches } from '../../src/data/batches.js';
import { InputError } from '../../src/input-error.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { imageClassification } from '../../src/tasks/image-classification/definition.js';
import {
  ImageClassification,
  type ImageModel,
} from '../../src/tasks/image-classification/image-classification.js';
import { readSignature } from '../../src/tasks/image-classification/signature.js';
import { imageTrainingOptions } from '../../src/tasks/image-classification/training-options.js';
import { Diverged, evaluate } from '../../src/tasks/task.js';
import { initialised } from '../../src/training/train-child.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writeTinyCifar10 } from '../cli/tiny-cifar10.js';
import { bytesAsTheyAre, scrambled, tinySet } from '../data/tiny-set.js';
import { classify, settingsOf, tinyNetwork, tinyTask } from '../training/tiny-task.js';
import { conformsToTask } from './conformance.js';

setThreads(1);

const folder = suiteFolder();
const data = `cifar10:${writeTinyCifar10(join(folder, 'cifar'))}`;

describe('image classification', () => {
  conformsToTask({
    definition: imageClassification,
    settings: { name: 'image-classification', data, limit: 24, validation: 7, seed: 1 },
    space: Space.configure(zophCnn, { layers: 2, filters: [2], filterHeights: [3], filterWidths: [3] }),
    batchSize: 3,
    oneBatch: { size: 1000 },
    traced: { inputs: ['image'], outputs: ['logits'] },
    float64: (network) => ({
      forward: (images: Tensor) => (network as nn.Layer).forward(images.to({ dtype: 'float64' })),
    }),
    wrong: [
      [
        'another kind of data',
        { data: 'text:words' },
        /^data "text:words": the kind "text" is not images; allowed here: /,
      ],
      ['an unknown kind', { data: 'imagenette' }, /^data "imagenette": unknown kind "imagenette"; known: /],
      ['a folder without data', { data: `cifar10:${join(folder, 'nowhere')}` }, /nowhere/],
      [
        'a limit beyond the data',
        { limit: 301 },
        'limit 301: must be a whole number from 1 to 300, the images there are',
      ],
      ['too many held out', { validation: 24 }, '24 images to hold out: must be a whole number from 1 to 23'],
      ['a size of images that have one', { imageSize: 16 }, /image size 16: cifar10 has images of one size/],
    ],
  });
});

describe('the accuracy on a part of the data', () => {
  /** Class 1 where the pixel is above 10, class 2 above 30. */
  class Thresholds extends nn.Layer {
    readonly linear = new nn.Linear(1, 3);

    constructor() {
      super();
      noGrad(() => {
        this.linear.weight.copy_(tensor([[0], [1], [2]]));
        this.linear.bias!.copy_(tensor([0, -10, -40]));
      });
    }

    forward(input: Tensor): Tensor {
      return this.linear.forward(input.flatten(1));
    }
  }

  const task = new ImageClassification(
    {
      ...tinyTask,
      test: tinySet([5, 1, 1, 1], [5, 20, 50, 29, 31], [0, 1, 0, 2, 2]),
      statistics: bytesAsTheyAre(1),
    },
    // Neither is any part of what a network is judged by.
    settingsOf({ labelSmoothing: 0.5, auxiliaryWeight: 1 }),
  );

  it.each([1, 2, 5, 100])(
    'is the share of images whose class has the highest logit, and the loss their mean cross entropy, %i at a time',
    (size) => {
      const network = new Thresholds();
      const { accuracy, loss } = evaluate(task, network.eval(), 'test', { size });
      // 0, 1, 2, 1, 2: right, right, wrong, wrong, right.
      expect(accuracy).toBe(3 / 5);
      // Logits of the five images, and the class.
      const images = [
        [[0, -5, -30], 0],
        [[0, 10, 0], 1],
        [[0, 40, 60], 0],
        [[0, 19, 18], 2],
        [[0, 21, 22], 2],
      ] as const;
      expect(loss).toBeCloseTo(
        images.reduce((sum, [logits, label]) => sum + crossEntropy(logits, label), 0) / 5,
        5,
      );
      network.free();
    },
  );

  it('of a network that gives no numbers is a divergence', () => {
    const network = new Thresholds();
    noGrad(() => network.linear.weight.fill_(Number.NaN));
    expect(() => evaluate(task, network.eval(), 'test', { size: 5 })).toThrow(
      new Diverged('diverged: the network gives outputs that are not finite'),
    );
    network.free();
  });

  it('does not depend on the random numbers of a network in evaluation, and leaves its statistics alone', () => {
    const network = initialised(tinyNetwork, 1);
    const bytes = () => [...network.stateDict()].map(([name, value]) => [name, value.toTypedArray()]);
    const before = bytes();
    const measure = () => evaluate(classify(), network.eval(), 'validation', { size: 4 });
    expect(measure()).toEqual(measure());
    expect(bytes()).toEqual(before);
    network.free();
  });
});

describe('the images that are trained on', () => {
  const set = tinySet([3, 4, 4, 3], scrambled(3 * 4 * 4 * 3));
  const statistics = bytesAsTheyAre(3);
  const own = { crop: { from: 'padded', margin: 1 }, flip: true } as const;
  const opened = { train: set, validation: set, test: set, statistics, augmentation: own };

  /** Those that a model gets to see in a pass. */
  const seenIn = (given: Parameters<typeof settingsOf>[0], training?: { seed: number; epoch: number }) => {
    const task = new ImageClassification(opened, settingsOf(given));
    const [batch] = task.pass('train', { size: 3, ...(training === undefined ? {} : { training }) });
    return scope(() => {
      let images: number[] = [];
      const forward = (input: Tensor) => {
        images = input.permute([0, 2, 3, 1]).toNumbers();
        return input.mean([2, 3]);
      };
      batch!.loss({ forward });
      return images;
    });
  };
  const training = { seed: 5, epoch: 2 };
  const augmentedBy = (augmentation: Augmentation) => {
    const [batch] = batches(set, { size: 3, statistics, training: { ...training, augmentation } });
    return [...batch!.images];
  };

  it.each<[Parameters<typeof settingsOf>[0], Augmentation]>([
    [{ augment: false }, {}],
    [{ augment: true }, own],
    [{ augment: false, cutout: 2 }, { cutout: 2 }],
    // The hue changes half as far.
    [{ augment: false, colourJitter: 0.4 }, { colour: { strength: 0.4, hue: 0.2 } }],
    [
      { augment: true, cutout: 1, colourJitter: 1 },
      { ...own, cutout: 1, colour: { strength: 1, hue: 0.5 } },
    ],
  ])('are changed with %j as the data is with %j', (given, augmentation) => {
    expect(seenIn(given, training)).toEqual(augmentedBy(augmentation));
    // Without training they are as they are.
    expect(seenIn(given)).toEqual([...set.images]);
  });
});

describe('the training loss of images', () => {
  /** Two images of the classes 0 and 2, and a model that gives the same logits for both. */
  const LOGITS = [1, 3, 0];
  const AUXILIARY = [0, 0, 2];
  const labels = [0, 2];
  const images = {
    ...tinyTask,
    train: tinySet([2, 1, 1, 1], [7, 9], labels),
    statistics: bytesAsTheyAre(1),
    augmentation: {},
  };
  const asLogits = (values: readonly number[]) => tensor([[...values], [...values]]);

  /** With an auxiliary head, which counts how often it is run. */
  const model = () => ({
    heads: 0,
    forward: () => asLogits(LOGITS),
    forwardWithAuxiliary() {
      this.heads++;
      return { logits: asLogits(LOGITS), auxiliary: asLogits(AUXILIARY) };
    },
  });

  function lossOf(options: Parameters<typeof settingsOf>[0], of: ImageModel = model()) {
    const [batch] = new ImageClassification(images, settingsOf(options)).pass('train', { size: 2 });
    return scope(() => {
      const { loss, total } = batch!.trainingLoss(of);
      return { loss: loss.item(), total: total.item(), plain: batch!.loss(of).item() };
    });
  }

  const mean = (logits: readonly number[], smoothing = 0) =>
    labels.reduce((sum, label) => sum + crossEntropy(logits, label, smoothing), 0) / 2;

  it.each([0, 0.1, 0.75])('spreads the share %d of the target evenly over all classes', (labelSmoothing) => {
    const { loss, total, plain } = lossOf({ labelSmoothing });
    expect(loss).toBeCloseTo(mean(LOGITS, labelSmoothing), 5);
    expect([total, plain]).toEqual([loss, loss]);
  });

  it.each([0.4, 1, 2.5])('adds that of the auxiliary head times its weight, %d', (auxiliaryWeight) => {
    const { loss, total, plain } = lossOf({ auxiliaryWeight });
    expect(loss).toBeCloseTo(mean(LOGITS), 5);
    expect(plain).toBe(loss);
    expect(total).toBeCloseTo(mean(LOGITS) + auxiliaryWeight * mean(AUXILIARY), 5);
  });

  it('smooths the labels of the auxiliary head too', () => {
    const { total } = lossOf({ auxiliaryWeight: 1, labelSmoothing: 0.3 });
    expect(total).toBeCloseTo(mean(LOGITS, 0.3) + mean(AUXILIARY, 0.3), 5);
  });

  it('does not run an auxiliary head without a weight, and asks none of a network that has none', () => {
    const head = model();
    const { loss, total } = lossOf({ auxiliaryWeight: 0 }, head);
    expect(total).toBe(loss);
    expect(head.heads).toBe(0);
    const without = lossOf({ auxiliaryWeight: 1 }, { forward: () => asLogits(LOGITS) });
    expect(without.total).toBe(without.loss);
  });

  it('is the plain cross entropy, without an auxiliary head, for options that do not name them, as of a supernet', () => {
    const bare = new ImageClassification(images, { augment: false, cutout: 0, device: 'cpu' });
    const head = model();
    const [batch] = bare.pass('train', { size: 2 });
    scope(() => {
      const { loss, total } = batch!.trainingLoss(head);
      expect(loss.item()).toBeCloseTo(mean(LOGITS), 5);
      expect(total.item()).toBe(loss.item());
    });
    expect(head.heads).toBe(0);
  });

  it('is the loss alone where the head gives nothing, as in small images', () => {
    const headless: ImageModel = {
      forward: () => asLogits(LOGITS),
      forwardWithAuxiliary: () => ({ logits: asLogits(LOGITS) }),
    };
    const { loss, total } = lossOf({ auxiliaryWeight: 1 }, headless);
    expect(total).toBe(loss);
  });
});

describe('training images', () => {
  it('are augmented in training alone', () => {
    const cut = new ImageClassification(tinyTask, settingsOf({ augment: false, cutout: 2 }));
    const pixels = (task: ImageClassification, epoch?: number) => {
      const seen: number[][] = [];
      const training = epoch === undefined ? {} : { training: { seed: 1, epoch } };
      for (const batch of task.pass('train', { size: 22, ...training }))
        scope(() =>
          batch.loss({
            forward(images) {
              seen.push(images.toNumbers());
              return tensor(new Array(22).fill([0, 0, 0]));
            },
          }),
        );
      return seen.flat().sort((a, b) => a - b);
    };
    const plain = pixels(classify());
    expect(pixels(cut)).toEqual(plain);
    expect(pixels(cut, 1)).not.toEqual(plain);
    // Only the order of the images differs.
    expect(pixels(classify(settingsOf({ augment: false })), 1)).toEqual(plain);
    expect(pixels(classify(settingsOf({ augment: true })), 1)).not.toEqual(plain);
  });
});

describe('the paper training of a space', () => {
  const paper = (space: Space) =>
    imageTrainingOptions.parse({ ...imageClassification.training.paper(space) });

  it('is that of DARTS for its cells, on CIFAR-10 and on ImageNet', () => {
    const cifar = {
      epochs: 600,
      batchSize: 96,
      learningRate: 0.025,
      schedule: 'cosine',
      momentum: 0.9,
      nesterov: false,
      weightDecay: 3e-4,
      clip: 5,
      cutout: 16,
      dropPath: 0.2,
      auxiliaryWeight: 0.4,
      labelSmoothing: 0,
      colourJitter: 0,
    };
    expect(paper(Space.configure(dartsCnn))).toMatchObject(cifar);
    expect(paper(Space.configure(dartsCnn, { layout: 'imagenet' }))).toMatchObject({
      epochs: 250,
      batchSize: 128,
      learningRate: 0.1,
      schedule: 'exponential',
      decay: 0.97,
      weightDecay: 3e-5,
      cutout: 0,
      dropPath: 0,
      auxiliaryWeight: 0.4,
      labelSmoothing: 0.1,
      colourJitter: 0.4,
    });
  });

  it('is that of Zoph & Le 2016 for other spaces, with a learning rate that falls', () => {
    expect(paper(Space.configure(zophCnn))).toMatchObject({
      epochs: 50,
      batchSize: 128,
      learningRate: 0.1,
      schedule: 'cosine',
      nesterov: true,
      weightDecay: 1e-4,
      clip: 0,
      auxiliaryWeight: 0,
    });
  });

  it('builds the auxiliary head exactly where its loss has a weight, of spaces that have one', () => {
    const { spaceOptions } = imageClassification.training;
    const darts = Space.configure(dartsCnn);
    expect(spaceOptions?.(darts, { auxiliaryWeight: 0.4 })).toEqual({ auxiliary: true });
    expect(spaceOptions?.(darts, { auxiliaryWeight: 0 })).toEqual({ auxiliary: false });
    expect(spaceOptions?.(darts, {})).toEqual({ auxiliary: false });
    expect(spaceOptions?.(Space.configure(zophCnn), { auxiliaryWeight: 0.4 })).toEqual({});
  });
});

describe('the signature of a classifier', () => {
  it('has the names of the classes, and the statistics that pixels are standardised by', async () => {
    const { signature } = await imageClassification.open({ name: 'image-classification', data, seed: 1 });
    const { classes, statistics, resized } = readSignature(signature);
    expect(classes).toEqual(signature.classes);
    expect(classes).toHaveLength(10);
    expect([...statistics.mean]).toEqual(signature.mean);
    expect([...statistics.standardDeviation]).toEqual(signature.standardDeviation);
    expect(statistics.mean).toHaveLength(3);
    expect(resized).toBe(false);
  });

  it('is told from that of something else', () => {
    expect(() => readSignature({ vocabulary: ['a'] })).toThrow(InputError);
    expect(() => readSignature({ vocabulary: ['a'] })).toThrow(/^not the signature of a classifier: /);
  });
});

/** Of one image, by hand: the target has 1 - smoothing on its class, and the rest evenly on all. */
function crossEntropy(logits: readonly number[], label: number, smoothing = 0): number {
  const sum = Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0));
  const own = sum - logits[label]!;
  const all = logits.reduce((total, logit) => total + sum - logit, 0) / logits.length;
  return (1 - smoothing) * own + smoothing * all;
}
