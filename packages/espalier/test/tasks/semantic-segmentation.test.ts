import { join } from 'node:path';
import { nn, scope, setThreads, type Tensor, tensor } from '@espalier/torch';
import { beforeAll, describe, expect, it } from 'vitest';
import { maskLabels } from '../../src/data/mask-file.js';
import type { MaskedImages } from '../../src/data/masked-images.js';
import { InputError } from '../../src/input-error.js';
import { Random } from '../../src/random/random.js';
import { choose } from '../../src/space/language.js';
import { defineSpace, Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { imageClassification } from '../../src/tasks/image-classification/definition.js';
import { semanticSegmentation } from '../../src/tasks/semantic-segmentation/definition.js';
import {
  type SegmentationLoss,
  SemanticSegmentation,
} from '../../src/tasks/semantic-segmentation/segmentation.js';
import { readSignature } from '../../src/tasks/semantic-segmentation/signature.js';
import { evaluateInDetail } from '../../src/tasks/task.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { picture, writeMask, writePixels, writeTinyCamvid } from '../data/tiny-masks.js';
import { bytesAsTheyAre } from '../data/tiny-set.js';
import { conformsToTask } from './conformance.js';

setThreads(1);

const folder = suiteFolder();
const data = `camvid:${join(folder, 'camvid')}`;
const settings = { name: 'semantic-segmentation', data, seed: 1 };

beforeAll(async () => {
  await writeTinyCamvid(join(folder, 'camvid'), { train: 17, val: 8, test: 5 });
});

/** A convolution, batch norm and a classifier of pixels. */
class Dense extends nn.Layer {
  readonly conv: nn.Conv2d;
  readonly norm: nn.BatchNorm2d;
  readonly classifier: nn.Conv2d;

  constructor(filters: number, channels: number, classes: number) {
    super();
    this.conv = new nn.Conv2d(channels, filters, 3, { padding: 1 });
    this.norm = new nn.BatchNorm2d(filters);
    this.classifier = new nn.Conv2d(filters, classes, 1);
  }

  forward(images: Tensor): Tensor {
    return this.classifier.forward(this.norm.forward(this.conv.forward(images)).tanh());
  }
}

const dense = defineSpace({
  name: 'dense',
  task: 'semantic-segmentation',
  *choices() {
    return { filters: yield* choose('filters', [4, 8]) };
  },
  network: ({ filters }, { channels, classes }) => new Dense(filters, channels, classes),
});

describe('semantic segmentation', () => {
  conformsToTask({
    definition: semanticSegmentation,
    settings,
    space: Space.configure(dense),
    training: { learningRate: 0.01 },
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
        /^data "text:words": the kind "text" is not images with masks; allowed here: camvid:DIR/,
      ],
      ['a folder without data', { data: `camvid:${join(folder, 'nowhere')}` }, /nowhere/],
      [
        'a limit beyond the data',
        { limit: 18 },
        'limit 18: must be a whole number from 1 to 17, the images there are',
      ],
      ['too many to validate on', { validation: 9 }, 'validation 9: the data has 8 images to validate on'],
    ],
  });
});

describe('opened images with masks', () => {
  it('have the classes, the size, and a part to validate on of their own', async () => {
    const { input, signature, task } = await semanticSegmentation.open(settings);
    expect(input).toEqual({ channels: 3, height: 12, width: 16, classes: 11 });
    const { classes, statistics } = readSignature(signature);
    expect(classes[3]).toEqual({ name: 'road', colour: [128, 64, 128] });
    expect([...statistics.mean]).toEqual([0.485, 0.456, 0.406]);
    const opened = task(semanticSegmentation.training.options.parse({}) as never);
    expect((['train', 'validation', 'test'] as const).map((part) => opened.count(part))).toEqual([17, 8, 5]);
  });

  it('are divided into two disjoint parts of the training images for a supernet, whatever else there is', async () => {
    const { task } = await semanticSegmentation.open({ ...settings, limit: 10 }, { validationShare: 0.5 });
    const opened = task(semanticSegmentation.training.options.parse({}) as never) as SemanticSegmentation;
    const seen = (part: 'train' | 'validation') => {
      const images: string[] = [];
      for (const batch of opened.pass(part, { size: 1 }))
        scope(() =>
          batch.tally({
            forward(image) {
              images.push(String(image.toNumbers()));
              return image.mean([1], true).expand([1, 11, 12, 16]);
            },
          }),
        );
      return images;
    };
    const [weights, architecture] = [seen('train'), seen('validation')];
    expect([weights.length, architecture.length]).toEqual([5, 5]);
    expect(new Set([...weights, ...architecture]).size).toBe(10);
  });

  it('are few where chance decides, and a note says so', async () => {
    const notes = async (validation: number) =>
      (await semanticSegmentation.open({ ...settings, validation })).notes;
    expect(await notes(1)).toEqual([
      expect.stringMatching(/^Only 1 image validate: a class that is on few of them/),
    ]);
    expect(await notes(2)).toEqual([expect.stringMatching(/^Only 2 images validate: /)]);
    expect(await notes(0)).toEqual([]);
  });

  it('are cropped to a square that is asked for', async () => {
    expect((await semanticSegmentation.open({ ...settings, imageSize: 9 })).input).toEqual({
      channels: 3,
      height: 9,
      width: 9,
      classes: 11,
    });
  });
});

/** Masks of two classes, 0 and 1, and void as 9, on images whose red byte a model reads. */
async function twoImages(
  name: string,
  masks: readonly (readonly number[])[],
  reds: readonly (readonly number[])[],
) {
  const size = { height: 1, width: masks[0]!.length };
  for (const [index, mask] of masks.entries()) {
    await writeMask(join(folder, name, `${index}-mask.png`), Uint8Array.from(mask), size);
    await writePixels(
      join(folder, name, `${index}.png`),
      Uint8Array.from(reds[index]!.flatMap((red) => [red, 0, 0])),
      size,
    );
  }
  const set: MaskedImages = {
    seen: { scale: 1 },
    folder: join(folder, name),
    images: masks.map((_, index) => `${index}.png`),
    masks: masks.map((_, index) => `${index}-mask.png`),
    count: masks.length,
    labels: maskLabels(
      (value) => (value < 2 ? value : value === 9 ? 255 : undefined),
      '0, 1, and 9 for void',
    ),
  };
  return {
    train: set,
    validation: set,
    test: set,
    classes: [
      { name: 'ground', colour: [0, 0, 0] as const },
      { name: 'sky', colour: [1, 1, 1] as const },
    ],
    crop: size,
    statistics: bytesAsTheyAre(3),
  };
}

const plain: SegmentationLoss = {
  augment: false,
  leastScale: 1,
  mostScale: 1,
  classWeights: [],
  device: 'cpu',
};

/** The logit of class 1 is the red byte, that of class 0 is 0. */
const redIsSky = {
  forward(images: Tensor): Tensor {
    const red = images.narrow(1, 0, 1);
    return tensor([[[[0]], [[1]]]]).mul(red);
  },
};

/** Of a pixel with the logits 0 and `red`. */
const crossEntropy = (red: number, label: number) => Math.log(1 + Math.exp(red)) - label * red;

describe('the measures of a segmenter', () => {
  it('count pixels over the whole part, and leave out void', async () => {
    const masks = [
      [0, 0, 1, 9],
      [1, 0, 0, 9],
    ];
    const reds = [
      [0, 2, 2, 2],
      [0, 0, 3, 0],
    ];
    const opened = await twoImages('measures', masks, reds);
    const task = new SemanticSegmentation(opened, plain);
    for (const size of [1, 2]) {
      const { measures, details } = evaluateInDetail(task, redIsSky, 'test', { size });
      // Taken for sky are three pixels, of which one is: 1 / (2 + 3 - 1); ground: 2 of 3 right, 1 / 5 others.
      expect(details).toEqual({
        confusion: [
          [0, 0, 2],
          [0, 1, 2],
          [1, 0, 1],
          [1, 1, 1],
        ],
        iou: [2 / 5, 1 / 4],
      });
      expect(measures.miou).toBeCloseTo((2 / 5 + 1 / 4) / 2, 12);
      expect(measures.pixelAccuracy).toBe(3 / 6);
      const sum =
        crossEntropy(0, 0) +
        crossEntropy(2, 0) +
        crossEntropy(2, 1) +
        crossEntropy(0, 1) +
        crossEntropy(0, 0) +
        crossEntropy(3, 0);
      expect(measures.loss).toBeCloseTo(sum / 6, 5);
    }
  });

  it('leave out a class that neither occurs nor is predicted', async () => {
    const opened = await twoImages('absent', [[0, 0, 9]], [[0, 0, 5]]);
    const { measures, details } = evaluateInDetail(
      new SemanticSegmentation(opened, plain),
      redIsSky,
      'test',
      {
        size: 1,
      },
    );
    expect(details?.iou).toEqual([1, null]);
    expect(measures.miou).toBe(1);
  });

  it('are an error where no pixel has a class', async () => {
    const opened = await twoImages('void', [[9, 9]], [[0, 0]]);
    expect(() =>
      evaluateInDetail(new SemanticSegmentation(opened, plain), redIsSky, 'test', { size: 1 }),
    ).toThrow(new InputError('no pixel of the masks has a class, so nothing can be measured'));
  });
});

describe('the loss of a segmenter', () => {
  const lossOf = (task: SemanticSegmentation) => {
    const [batch] = task.pass('train', { size: 2 });
    return scope(() => batch!.loss(redIsSky).item());
  };

  it('is the mean over the labelled pixels, weighted by their classes', async () => {
    const opened = await twoImages('weights', [[0, 1, 9]], [[1, 2, 7]]);
    expect(lossOf(new SemanticSegmentation(opened, plain))).toBeCloseTo(
      (crossEntropy(1, 0) + crossEntropy(2, 1)) / 2,
      5,
    );
    expect(lossOf(new SemanticSegmentation(opened, { ...plain, classWeights: [1, 3] }))).toBeCloseTo(
      (crossEntropy(1, 0) + 3 * crossEntropy(2, 1)) / 4,
      5,
    );
  });

  it('is 0 on images that are all void, and not a division by zero', async () => {
    const opened = await twoImages('all void', [[9, 9]], [[1, 2]]);
    expect(lossOf(new SemanticSegmentation(opened, plain))).toBe(0);
  });

  it('is refused with weights of another number of classes, and with factors out of order', async () => {
    const opened = await twoImages('refused', [[0, 1]], [[1, 2]]);
    expect(() => new SemanticSegmentation(opened, { ...plain, classWeights: [1, 2, 3] })).toThrow(
      new InputError('classWeights: 3 numbers; the data has 2 classes, a number each'),
    );
    expect(() => new SemanticSegmentation(opened, { ...plain, leastScale: 2, mostScale: 1 })).toThrow(
      new InputError('leastScale 2: allowed: mostScale, 1, and below'),
    );
  });
});

describe('a training pass', () => {
  it('leaves out a last batch of a single image, which batch norm after image pooling cannot normalise', async () => {
    const masks = Array.from({ length: 5 }, () => [0, 1]);
    const task = new SemanticSegmentation(await twoImages('five', masks, masks), plain);
    const counts = (size: number, training?: { seed: number; epoch: number }) =>
      Array.from(
        task.pass('train', { size, ...(training === undefined ? {} : { training }) }),
        ({ count }) => count,
      );
    const training = { seed: 1, epoch: 1 };
    expect([counts(2, training), task.batchCount('train', 2)]).toEqual([[2, 2], 2]);
    expect([counts(4, training), task.batchCount('train', 4)]).toEqual([[4], 1]);
    expect([counts(3, training), task.batchCount('train', 3)]).toEqual([[3, 2], 2]);
    expect([counts(1, training), task.batchCount('train', 1)]).toEqual([[1, 1, 1, 1, 1], 5]);
    expect([counts(5, training), counts(9, training)]).toEqual([[5], [5]]);
    // Evaluations see every image.
    expect(counts(2)).toEqual([2, 2, 1]);
  });
});

describe('a network for segmentation', () => {
  it('is refused where it gives no logit a pixel', async () => {
    const { requireTrainable } = await semanticSegmentation.open(settings);
    const space = Space.configure(zophCnn, { layers: 1 });
    const network = imageClassification.networks.build(
      space,
      space.decode(space.sample(Random.of(1, 'any'))),
      { channels: 3, height: 12, width: 16, classes: 11 },
    );
    expect(() => requireTrainable(network, 'zoph-cnn', { device: 'cpu' })).toThrow(
      /^space zoph-cnn: for one image its network gives a tensor of shape \[1,11\]; to be trained as a segmenter it has to be \[1, 11, 12, 16\]/,
    );
    network.free();
  });
});

it('pictures of tests have a boundary between classes', () => {
  expect(new Set(picture(1, { height: 12, width: 16 }).labels)).toEqual(new Set([0, 3, 8]));
});
