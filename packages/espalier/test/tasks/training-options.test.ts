import { describe } from 'vitest';
import { z } from 'zod';
import { imageSupernetOptions } from '../../src/tasks/image-classification/supernet-options.js';
import { imageTrainingOptions } from '../../src/tasks/image-classification/training-options.js';
import { languageSupernetOptions } from '../../src/tasks/language-modelling/supernet-options.js';
import { languageTrainingOptions } from '../../src/tasks/language-modelling/training-options.js';
import { segmentationSupernetOptions } from '../../src/tasks/semantic-segmentation/supernet-options.js';
import { segmentationTrainingOptions } from '../../src/tasks/semantic-segmentation/training-options.js';
import { above0, count, flag, from0, from0Below1, hasOptions, oneOf, text } from './option-table.js';

const schedule = oneOf('constant', 'cosine', 'poly', 'exponential', 'step');
const decay = (value: number) => [value, [1e-9, 1], [0, 1.001]] as const;
/** What every training has to say of the update rule. */
const rule = {
  optimiser: oneOf('sgd', 'adam', 'rmsprop', 'rmsprop-tf'),
  squareDecay: [null, [0, 0.999, null], [-1e-9, 1]],
  epsilon: [null, [1e-9, 1, null], [0, -1]],
  decayEvery: [1, [0.1, 2.4], [0, -1]],
  averageDecay: from0Below1(0),
} as const;

describe('the options of a training on images', () => {
  hasOptions(imageTrainingOptions, {
    ...rule,
    epochs: count(50),
    batchSize: count(128),
    learningRate: above0(0.1),
    schedule,
    decay: decay(0.97),
    decayEpoch: count(1),
    momentum: from0Below1(0.9),
    nesterov: flag(true),
    weightDecay: from0(1e-4),
    clip: from0(0),
    keepBest: flag(false),
    device: text('cpu'),
    precision: oneOf('float32', 'bfloat16'),
    augment: flag(true),
    cutout: count(0, 0),
    colourJitter: [0, [0, 1], [-1e-9, 1.001]],
    dropPath: from0Below1(0),
    dropPathGrowsBy: oneOf('epoch', 'step'),
    auxiliaryWeight: from0(0),
    labelSmoothing: from0Below1(0),
  });
});

describe('the options of a training on texts', () => {
  hasOptions(languageTrainingOptions, {
    ...rule,
    epochs: count(8000),
    batchSize: count(64),
    learningRate: above0(20),
    schedule,
    decay: decay(1),
    decayEpoch: count(1),
    momentum: from0Below1(0),
    nesterov: flag(false),
    weightDecay: from0(8e-7),
    clip: from0(0.25),
    device: text('cpu'),
    nonMonotone: count(5, 0),
    keepBest: flag(true),
    bptt: count(35),
    activationAlpha: from0(0),
    activationBeta: from0(1e-3),
    validationColumns: count(10),
    testColumns: count(1),
  });
});

describe('the options of a supernet of images', () => {
  hasOptions(z.strictObject(imageSupernetOptions), {
    epochs: count(50),
    batchSize: count(64),
    learningRate: above0(0.025),
    finalLearningRate: from0(0.001),
    momentum: from0Below1(0.9),
    weightDecay: from0(3e-4),
    clip: above0(5),
    augment: flag(true),
    cutout: count(0, 0),
    device: text('cpu'),
  });
});

describe('the options of a supernet of language models', () => {
  hasOptions(z.strictObject(languageSupernetOptions), {
    epochs: count(50),
    batchSize: count(256),
    learningRate: above0(20),
    finalLearningRate: from0(20),
    momentum: from0Below1(0),
    weightDecay: from0(5e-7),
    clip: above0(0.25),
    bptt: count(35),
    activationAlpha: from0(0),
    activationBeta: from0(1e-3),
    validationColumns: count(10),
    device: text('cpu'),
  });
});

const segmenterLoss = {
  augment: flag(true),
  leastScale: [0.5, [0.25, 4], [0.24, 4.1]],
  mostScale: [2, [0.25, 4], [0.24, 4.1]],
  classWeights: [[], [[0, 1.5]], [[-1], 'all']],
} as const;

describe('the options of a training of a segmenter', () => {
  hasOptions(segmentationTrainingOptions, {
    ...rule,
    epochs: count(50),
    batchSize: count(16),
    learningRate: above0(0.05),
    schedule,
    decay: decay(0.97),
    decayEpoch: count(1),
    momentum: from0Below1(0.9),
    nesterov: flag(false),
    weightDecay: from0(4e-5),
    clip: from0(0),
    keepBest: flag(false),
    device: text('cpu'),
    ...segmenterLoss,
    evalScales: [[1], [[0.5, 1, 8]], [[], [0], [8.1]]],
    evalFlip: flag(false),
    evalTile: count(0, 0),
    dropPath: from0Below1(0),
    dropPathGrowsBy: oneOf('step', 'epoch'),
  });
});

describe('the options of a supernet of segmenters', () => {
  hasOptions(z.strictObject(segmentationSupernetOptions), {
    epochs: count(40),
    batchSize: count(2),
    learningRate: above0(0.025),
    finalLearningRate: from0(0.001),
    momentum: from0Below1(0.9),
    weightDecay: from0(3e-4),
    clip: above0(5),
    ...segmenterLoss,
    device: text('cpu'),
  });
});
