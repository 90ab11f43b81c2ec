import type { Json } from '../json.js';
import type { AnySpaceDefinition, Space } from '../space/space.js';
import type { LanguageTrainingSettings, TrainingSettings } from './training-settings.js';

/**
 * How DARTS trains its convolutional cells from scratch on CIFAR-10 (Liu, Simonyan & Yang 2018, section A.2.1, and the
 * authors' cnn/train.py).
 */
const dartsOnCifar: Partial<TrainingSettings> = {
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
};

/** The same on ImageNet (section A.2.3, and the authors' cnn/train_imagenet.py). */
const dartsOnImageNet: Partial<TrainingSettings> = {
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
};

/** Where a space's paper says nothing: the children of Zoph & Le 2016, at a rate that falls. */
const falling: Partial<TrainingSettings> = { schedule: 'cosine' };

/**
 * What `--preset paper` of a training sets: how a space's paper trains what it has found. Cells of NASNet are trained as
 * those of DARTS, who took the settings of its successors over (section A.2.1).
 */
export function paperTraining(space: Space): Partial<TrainingSettings & LanguageTrainingSettings> {
  if (space.definition.reads === 'tokens') return {};
  if (space.name !== 'darts-cnn' && space.name !== 'nasnet') return falling;
  return space.options.layout === 'imagenet' ? dartsOnImageNet : dartsOnCifar;
}

/** What `--preset small` of a training sets: a few minutes on a laptop. */
export function smallTraining(space: Space): Partial<TrainingSettings & LanguageTrainingSettings> {
  return space.definition.reads === 'tokens'
    ? { epochs: 10, batchSize: 20 }
    : { epochs: 10, batchSize: 64, learningRate: 0.05, schedule: 'cosine', weightDecay: 3e-4 };
}

/** How the children of a search are trained that are not as the options have it: language models for 35 epochs (Zoph & Le 2016, 4.2). */
export function childTraining({
  reads,
}: AnySpaceDefinition): Partial<TrainingSettings & LanguageTrainingSettings> {
  return reads === 'tokens' ? { epochs: 35 } : {};
}

/** What `--preset small` of a search sets of the training of children. */
export function smallChildTraining({
  reads,
}: AnySpaceDefinition): Partial<TrainingSettings & LanguageTrainingSettings> {
  return reads === 'tokens' ? { epochs: 2, batchSize: 20 } : { epochs: 2, batchSize: 64, schedule: 'cosine' };
}

/** The space with an auxiliary head where its loss has a weight, and without one where it has none. */
export function auxiliaryOptions(space: Space, auxiliaryWeight: number): Readonly<Record<string, Json>> {
  return 'auxiliary' in space.options ? { auxiliary: auxiliaryWeight > 0 } : {};
}
