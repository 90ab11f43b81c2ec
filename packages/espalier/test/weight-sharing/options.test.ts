import { describe } from 'vitest';
import { imageClassification } from '../../src/tasks/image-classification/definition.js';
import { languageModelling } from '../../src/tasks/language-modelling/definition.js';
import { darts } from '../../src/weight-sharing/darts.js';
import { gdas } from '../../src/weight-sharing/gdas.js';
import { randomWeightSharing } from '../../src/weight-sharing/random-ws.js';
import { above0, count, flag, from0, from0Below1, hasOptions, oneOf, text } from '../tasks/option-table.js';

/** The options of the weights of a supernet are the task's. */
const ofImages = {
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
};
const ofTexts = {
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
};
const ofAlphas = (learningRate: number, beta1: number) => ({
  alphaLearningRate: above0(learningRate),
  alphaBeta1: from0Below1(beta1),
  alphaBeta2: from0Below1(0.999),
  alphaWeightDecay: from0(1e-3),
  nesterov: flag(false),
  warmUp: count(0, 0),
  maxSkips: [undefined, [0, 8], [-1, 0.5]] as const,
});
const ofDarts = (clipLookAhead: boolean) => ({
  order: oneOf(1, 2),
  clipLookAhead: flag(clipLookAhead),
  selection: oneOf('magnitude', 'perturbation'),
  tuneEpochs: count(5),
  eigenvalue: flag(false),
  earlyStop: flag(false),
});

describe('the options of DARTS on images', () => {
  hasOptions(darts.options(imageClassification), { ...ofImages, ...ofAlphas(3e-4, 0.5), ...ofDarts(false) });
});

describe('the options of DARTS on texts', () => {
  hasOptions(darts.options(languageModelling), { ...ofTexts, ...ofAlphas(3e-3, 0.9), ...ofDarts(true) });
});

describe('the options of GDAS on images', () => {
  hasOptions(gdas.options(imageClassification), {
    ...ofImages,
    ...ofAlphas(3e-4, 0.5),
    epochs: count(250),
    weightDecay: from0(5e-4),
    nesterov: flag(true),
    tauFirst: above0(10),
    tauLast: above0(0.1),
  });
});

describe('the options of GDAS on texts', () => {
  hasOptions(gdas.options(languageModelling), {
    ...ofTexts,
    ...ofAlphas(3e-3, 0.9),
    tauFirst: above0(10),
    tauLast: above0(0.1),
  });
});

describe('the options of random search with weight sharing', () => {
  hasOptions(randomWeightSharing.options(imageClassification), {
    ...ofImages,
    candidates: count(1000),
    batches: count(10),
    finalists: count(10),
    candidatesAnEpoch: count(0, 0),
    rounds: [undefined, [1, 9], [0, 1.5]],
  });
});
