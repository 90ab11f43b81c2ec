import type { Json } from '../../json.js';
import type { Space } from '../../space/space.js';
import type { Grid, TrainingOptions } from '../task-definition.js';
import type { ImageTrainingOptions } from './training-options.js';

/**
 * How DARTS trains its convolutional cells from scratch on CIFAR-10 (Liu, Simonyan & Yang 2018, section A.2.1, and the
 * authors' cnn/train.py).
 */
const dartsOnCifar: Partial<ImageTrainingOptions> = {
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
const dartsOnImageNet: Partial<ImageTrainingOptions> = {
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

/** Where the paper of a space says nothing: as the children of Zoph & Le 2016, with a learning rate that falls. */
const falling: Partial<ImageTrainingOptions> = { schedule: 'cosine' };

/** The spaces whose cells are trained as those of DARTS, which took over the settings of NASNet's successors (A.2.1). */
const dartsFamily: ReadonlySet<string> = new Set(['darts-cnn', 'nasnet']);

/** How the paper of a space trains what it has found. */
export function paperTraining({ name, options }: Space): TrainingOptions {
  if (!dartsFamily.has(name)) return falling as TrainingOptions;
  return (options.layout === 'imagenet' ? dartsOnImageNet : dartsOnCifar) as TrainingOptions;
}

/**
 * How the paper of a space trains the children of a search. Those of NASNet are trained for 20 epochs (Zoph et al. 2018,
 * appendix A.1); the other defaults are those of Zoph & Le 2016.
 */
export function paperChild({ name }: Space): TrainingOptions {
  return name === 'nasnet' ? { epochs: 20, schedule: 'cosine' } : {};
}

/** ImageNet is evaluated at 224 pixels (section A.2.3). */
export function paperImageSize({ name, options }: Space): number | undefined {
  return dartsFamily.has(name) && options.layout === 'imagenet' ? 224 : undefined;
}

/**
 * "A small grid search over learning rate, weight decay, batchnorm epsilon and what epoch to decay the learning rate" (Zoph
 * & Le 2016, section 4.1). The values are not published; these are around those of the children.
 */
export function tuningGrid(
  { definition }: Space,
  epochs: number,
): { readonly grid: Grid; readonly training: TrainingOptions } {
  const hasEpsilon = 'batchNormEpsilon' in (definition.options?.shape ?? {});
  return {
    training: { schedule: 'step', decay: 0.1 },
    grid: {
      'training.learningRate': [0.1, 0.05],
      'training.weightDecay': [1e-4, 5e-4],
      ...(hasEpsilon ? { 'space.batchNormEpsilon': [1e-5, 1e-3] } : {}),
      'training.decayEpoch': [Math.ceil(epochs / 2), Math.ceil((3 * epochs) / 4)],
    },
  };
}

/** A training of minutes on a laptop. */
export const smallTraining = {
  epochs: 10,
  batchSize: 64,
  learningRate: 0.05,
  schedule: 'cosine',
  weightDecay: 3e-4,
} as const satisfies Partial<ImageTrainingOptions>;

/** Children of a few seconds. */
export const smallChild = {
  epochs: 2,
  batchSize: 64,
  schedule: 'cosine',
} as const satisfies Partial<ImageTrainingOptions>;

/** Builds the auxiliary head exactly where its loss has a weight. */
export function auxiliaryHead(space: Space, training: TrainingOptions): Readonly<Record<string, Json>> {
  return 'auxiliary' in space.options ? { auxiliary: Number(training.auxiliaryWeight ?? 0) > 0 } : {};
}
