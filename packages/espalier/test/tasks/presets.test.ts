import { describe, expect, it } from 'vitest';
import { nasnetALarge } from '../../src/hub/nasnet-a-large.js';
import { nasnetAMobile } from '../../src/hub/nasnet-a-mobile.js';
import { Space } from '../../src/space/space.js';
import { autoDeepLab } from '../../src/spaces/auto-deeplab.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { dartsRnn } from '../../src/spaces/darts-rnn.js';
import { nasnet } from '../../src/spaces/nasnet.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { zophRnn } from '../../src/spaces/zoph-rnn.js';
import { imageClassification } from '../../src/tasks/image-classification/definition.js';
import { paperImageSize } from '../../src/tasks/image-classification/presets.js';
import { languageModelling } from '../../src/tasks/language-modelling/definition.js';
import { semanticSegmentation } from '../../src/tasks/semantic-segmentation/definition.js';

describe('the presets of image classification', () => {
  const { training, supernet } = imageClassification;

  it("train cells as DARTS trains its own, on CIFAR-10 and on ImageNet (sections A.2.1 and A.2.3, and the authors' code)", () => {
    expect(training.paper(Space.configure(dartsCnn))).toEqual({
      epochs: 600,
      batchSize: 96,
      learningRate: 0.025,
      schedule: 'cosine',
      nesterov: false,
      weightDecay: 3e-4,
      clip: 5,
      cutout: 16,
      dropPath: 0.2,
      auxiliaryWeight: 0.4,
    });
    expect(training.paper(Space.configure(dartsCnn, { layout: 'imagenet' }))).toEqual({
      epochs: 250,
      batchSize: 128,
      learningRate: 0.1,
      schedule: 'exponential',
      decay: 0.97,
      nesterov: false,
      weightDecay: 3e-5,
      clip: 5,
      auxiliaryWeight: 0.4,
      labelSmoothing: 0.1,
      colourJitter: 0.4,
    });
    expect(training.paper(Space.configure(zophCnn))).toEqual({ schedule: 'cosine' });
  });

  it("train NASNet's cells as its authors do, on CIFAR-10 and, of both sizes, on ImageNet (A.6, A.7, and their code)", () => {
    const paper = (options: object) => training.paper(Space.configure(nasnet, options));
    expect(paper({})).toEqual({
      epochs: 600,
      batchSize: 32,
      learningRate: 0.025,
      schedule: 'cosine',
      momentum: 0.9,
      nesterov: false,
      weightDecay: 5e-4,
      clip: 5,
      cutout: 16,
      dropPath: 0.4,
      dropPathGrowsBy: 'step',
      auxiliaryWeight: 0.4,
    });
    const both = {
      epochs: 312,
      batchSize: 1600,
      optimiser: 'rmsprop-tf',
      squareDecay: 0.9,
      epsilon: 1,
      momentum: 0.9,
      nesterov: false,
      schedule: 'exponential',
      decay: 0.97,
      decayEvery: 2.4,
      clip: 10,
      auxiliaryWeight: 0.4,
      labelSmoothing: 0.1,
      colourJitter: 0.4,
      averageDecay: 0.9999,
      dropPathGrowsBy: 'step',
    };
    const mobile = { ...both, learningRate: 2, weightDecay: 4e-5, dropPath: 0 };
    const large = { ...both, learningRate: 1.5, weightDecay: 5e-5, dropPath: 0.3 };
    expect(paper({ layout: 'imagenet' })).toEqual(mobile);
    expect(paper({ layout: 'imagenet', skipReductionInput: true })).toEqual(large);
    const dropped = (options: object) => training.paperSpaceOptions?.(Space.configure(nasnet, options));
    expect([dropped({}), dropped({ layout: 'imagenet' })]).toEqual([{}, { dropout: 0.5 }]);
    const space = Space.configure(nasnet);
    const named = training.presets?.(space, {});
    expect(Object.keys(named ?? {})).toEqual(['imagenet-mobile', 'imagenet-large']);
    expect(named?.['imagenet-mobile']).toMatchObject({ training: mobile, imageSize: 224 });
    expect(named?.['imagenet-large']).toMatchObject({ training: large, imageSize: 331 });
    // The networks are those of the hub, whatever the search had.
    const searched = { ...space.options, ...nasnetAMobile.options, cells: 1, channels: 4, filters: null };
    for (const [preset, { options }] of [
      ['imagenet-mobile', nasnetAMobile],
      ['imagenet-large', nasnetALarge],
    ] as const)
      expect(Space.configure(nasnet, { ...searched, ...named?.[preset]?.space }).options).toEqual({
        ...Space.configure(nasnet, options).options,
        channels: 4,
      });
    expect(training.presets?.(space, { channels: 8 })['imagenet-large']?.space?.filters).toBeNull();
    expect(training.presets?.(Space.configure(dartsCnn), {})).toEqual({});
  });

  it('have small trainings and children', () => {
    expect(training).toMatchObject({
      small: { epochs: 10, batchSize: 64, learningRate: 0.05, schedule: 'cosine', weightDecay: 3e-4 },
      smallChild: { epochs: 2, batchSize: 64, schedule: 'cosine' },
    });
  });

  it('evaluate cells at 224 pixels where they are laid out for ImageNet (A.2.3)', () => {
    expect(paperImageSize(Space.configure(dartsCnn, { layout: 'imagenet' }))).toBe(224);
    expect(paperImageSize(Space.configure(nasnet, { layout: 'imagenet' }))).toBe(224);
    const large = { layout: 'imagenet', skipReductionInput: true };
    expect(paperImageSize(Space.configure(nasnet, large))).toBe(331);
    expect(paperImageSize(Space.configure(dartsCnn))).toBeUndefined();
    expect(paperImageSize(Space.configure(zophCnn))).toBeUndefined();
  });

  it('train children as the paper of their space says (Zoph et al. 2018, A.1)', () => {
    expect(training.child(Space.configure(nasnet))).toEqual({ epochs: 20, schedule: 'cosine' });
    expect(training.child(Space.configure(zophCnn))).toEqual({});
  });

  it('build an auxiliary head where a space has one and its loss a weight', () => {
    const head = (space: Space, auxiliaryWeight?: number) =>
      training.spaceOptions?.(space, auxiliaryWeight === undefined ? {} : { auxiliaryWeight });
    const cells = Space.configure(dartsCnn);
    expect(head(cells, 0.4)).toEqual({ auxiliary: true });
    expect(head(cells, 0)).toEqual({ auxiliary: false });
    expect(head(cells)).toEqual({ auxiliary: false });
    expect(head(Space.configure(zophCnn), 0.4)).toEqual({});
  });

  it('move alphas as DARTS does (A.1.1), and hold images out', () => {
    expect(supernet?.alpha).toEqual({ learningRate: 3e-4, beta1: 0.5 });
    expect(imageClassification.heldOut).toBe(true);
    expect(imageClassification.predictFlags).toEqual(['mean', 'std']);
    expect(imageClassification.dataForms).toContain('cifar10:DIR');
    expect(imageClassification.dataForms).not.toContain('text:DIR');
  });
});

describe('the presets of language modelling', () => {
  it('have the values of the papers, and small ones', () => {
    const { training, supernet, heldOut, dataForms } = languageModelling;
    expect(training.paper(Space.configure(dartsRnn))).toEqual({});
    expect(training).toMatchObject({
      small: { epochs: 10, batchSize: 20 },
      smallChild: { epochs: 2, batchSize: 20 },
    });
    expect(training.child(Space.configure(dartsRnn))).toEqual({ epochs: 35 });
    // A rate of 1 and a clip of 5 for the sum of the losses of 35 steps.
    expect(training.child(Space.configure(zophRnn))).toEqual({
      epochs: 35,
      batchSize: 20,
      bptt: 35,
      learningRate: 35,
      clip: 5 / 35,
      schedule: 'exponential',
      decay: 1 / 1.2,
      decayEpoch: 6,
      weightDecay: 0,
      activationBeta: 0,
      nonMonotone: 0,
      keepBest: false,
    });
    const character = (space: Space) => training.presets?.(space, {}).character;
    const trees = character(Space.configure(zophRnn));
    // Ha et al. 2016, A.3.3, for the 80,000 steps of Zoph & Le 2016, 4.2: 202 passes over 5.06 million characters.
    expect(trees?.training).toEqual({
      epochs: 202,
      batchSize: 128,
      bptt: 100,
      optimiser: 'adam',
      learningRate: 1e-3,
      schedule: 'constant',
      momentum: 0,
      nesterov: false,
      weightDecay: 0,
      clip: 1,
      activationAlpha: 0,
      activationBeta: 0,
      nonMonotone: 0,
      keepBest: true,
    });
    const dropout = {
      dropoutEmbedding: 0,
      dropoutInput: 0.1,
      dropoutCellInput: 0,
      dropoutHidden: 0.1,
      dropoutOutput: 0.1,
    };
    expect(trees?.space).toEqual({ hidden: 452, layers: 2, ...dropout });
    expect(character(Space.configure(dartsRnn))?.space).toEqual(dropout);
    expect(supernet?.alpha).toEqual({ learningRate: 3e-3, beta1: 0.9 });
    expect(heldOut).toBe(false);
    expect(dataForms).toContain('text:DIR');
    expect(dataForms).not.toContain('cifar10:DIR');
  });
});

describe('the presets of semantic segmentation', () => {
  const { training } = semanticSegmentation;
  const space = Space.configure(autoDeepLab);

  it('train as Auto-DeepLab from scratch (Liu et al. 2019, section 5.2), as many iterations as on its data', () => {
    expect(training.paper(space, 'cityscapes:DIR,coarse=false')).toEqual({
      epochs: 4034,
      batchSize: 8,
      learningRate: 0.05,
      schedule: 'poly',
      weightDecay: 4e-5,
      dropPath: 0.2,
    });
    // 1.5 million iterations on VOC, 4 million on ADE20K, 8 images each.
    expect(training.paper(space, 'voc:DIR').epochs).toBe(1134);
    expect(training.paper(space, 'ade20k:DIR').epochs).toBe(1583);
    for (const other of ['camvid:DIR', 'masks:DIR', undefined])
      expect(training.paper(space, other).epochs).toBe(500);
  });

  it('have small trainings and children', () => {
    expect(training).toMatchObject({
      small: { epochs: 20, batchSize: 4, learningRate: 0.05, schedule: 'poly', weightDecay: 1e-4 },
      smallChild: { epochs: 2, batchSize: 4, schedule: 'poly' },
    });
    expect(training.child(space)).toEqual({});
  });

  it('leave out an auxiliary head, which nothing reads', () => {
    expect(training.spaceOptions?.(Space.configure(dartsCnn), {})).toEqual({ auxiliary: false });
    expect(training.spaceOptions?.(space, {})).toEqual({});
  });
});
