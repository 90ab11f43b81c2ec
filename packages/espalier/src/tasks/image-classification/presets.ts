import type { Json } from '../../json.js';
import type { Space } from '../../space/space.js';
import type { Grid, TrainingOptions, TrainingPreset } from '../task-definition.js';
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

/**
 * How NASNet is trained on CIFAR-10 (Zoph et al. 2018, appendix A.6: momentum 0.9 and a cosine). The rest is in the notes of the
 * authors' code (research/slim/nets/nasnet/nasnet.py: cifar_config); the weight decay is its default. The best published
 * network has cutout (section 4.1), of 16 pixels (DeVries & Taylor 2017).
 */
const nasnetOnCifar: Partial<ImageTrainingOptions> = {
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
};

/**
 * How NASNet is trained on ImageNet. Published in appendix A.7 of Zoph et al. 2018: RMSProp with decay 0.9 and epsilon 1, label
 * smoothing 0.1, auxiliary weight 0.4, and evaluation with a running average of the weights with decay 0.9999. In the notes
 * of the authors' code (nasnet.py: mobile_imagenet_config and large_imagenet_config): learning rate, its decay by 0.97 every 2.4
 * epochs, the clip, and 250,000 steps of 1,600 images, which are 312 epochs. (The paper refers to Szegedy et al. 2016 for the
 * decay: 0.045, by 0.94 every two epochs, a clip of 2.) The momentum of 0.9 is the default of the authors' training program.
 * The paper refers to Inception's augmentation, which has no published strengths; that of DARTS on ImageNet turns the hue as
 * far as the authors' code does.
 */
const nasnetOnImageNet: Partial<ImageTrainingOptions> = {
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

/** 50 replicas with 32 images and a learning rate of 0.04 each; paths are not dropped. */
const nasnetMobile: Partial<ImageTrainingOptions> = {
  ...nasnetOnImageNet,
  learningRate: 50 * 0.04,
  weightDecay: 4e-5,
  dropPath: 0,
};

/** 100 replicas with 16 images and a learning rate of 0.015 each; 70% of the paths are kept at the end. */
const nasnetLarge: Partial<ImageTrainingOptions> = {
  ...nasnetOnImageNet,
  learningRate: 100 * 0.015,
  weightDecay: 5e-5,
  dropPath: 0.3,
};

/** Where the paper of a space says nothing: as the children of Zoph & Le 2016, with a learning rate that falls. */
const falling: Partial<ImageTrainingOptions> = { schedule: 'cosine' };

/** How the paper of a space trains what it has found, in each layout, and the side of its images for ImageNet, in pixels. */
interface PaperTraining {
  readonly cifar: Partial<ImageTrainingOptions>;
  imagenet(options: Space['options']): Partial<ImageTrainingOptions>;
  imageSize(options: Space['options']): number;
}

/** The authors' large network reads another input after a reduction than their others do. */
const isLarge = ({ skipReductionInput }: Space['options']) => skipReductionInput === true;

const PAPERS: ReadonlyMap<string, PaperTraining> = new Map<string, PaperTraining>([
  ['darts-cnn', { cifar: dartsOnCifar, imagenet: () => dartsOnImageNet, imageSize: () => 224 }],
  [
    'nasnet',
    {
      cifar: nasnetOnCifar,
      imagenet: (options) => (isLarge(options) ? nasnetLarge : nasnetMobile),
      imageSize: (options) => (isLarge(options) ? 331 : 224),
    },
  ],
]);

/** How the paper of a space trains what it has found. */
export function paperTraining({ name, options }: Space): TrainingOptions {
  const paper = PAPERS.get(name);
  if (paper === undefined) return falling as TrainingOptions;
  return (options.layout === 'imagenet' ? paper.imagenet(options) : paper.cifar) as TrainingOptions;
}

/** What both networks of NASNet for ImageNet have (tables 2 and 3, and the authors' code). */
const nasnetForImageNet = { layout: 'imagenet', dropout: 0.5 };

/**
 * The networks of NASNet for ImageNet, "4 @ 1056" and "6 @ 4032", with their trainings: `imagenet-mobile` and `imagenet-large`.
 * Where the channels are given, the filters are not set.
 */
export function imagePresets(
  { name }: Space,
  given: Readonly<Record<string, Json>>,
): Readonly<Record<string, TrainingPreset>> {
  if (name !== 'nasnet') return {};
  const sized = (filters: number) => ('channels' in given ? { filters: null } : { filters });
  return {
    'imagenet-mobile': {
      training: nasnetMobile as TrainingOptions,
      space: { ...nasnetForImageNet, ...sized(1056), cells: 4, stemFilters: null, skipReductionInput: false },
      imageSize: 224,
    },
    'imagenet-large': {
      training: nasnetLarge as TrainingOptions,
      space: { ...nasnetForImageNet, ...sized(4032), cells: 6, stemFilters: 96, skipReductionInput: true },
      imageSize: 331,
    },
  };
}

/**
 * How the paper of a space trains the children of a search. Those of NASNet are trained for 20 epochs (Zoph et al. 2018,
 * appendix A.1); the other defaults are those of Zoph & Le 2016.
 */
export function paperChild({ name }: Space): TrainingOptions {
  return name === 'nasnet' ? { epochs: 20, schedule: 'cosine' } : {};
}

/** The side of the images of ImageNet: 224 pixels (DARTS, section A.2.3; NASNet, table 3), of the large NASNet 331 (table 2). */
export function paperImageSize({ name, options }: Space): number | undefined {
  return options.layout === 'imagenet' ? PAPERS.get(name)?.imageSize(options) : undefined;
}

/** Half of what the classifier of NASNet for ImageNet reads is dropped (Zoph et al. 2018, appendix A.7). */
export function paperSpaceOptions({ name, options }: Space): Readonly<Record<string, Json>> {
  return name === 'nasnet' && options.layout === 'imagenet' ? { dropout: nasnetForImageNet.dropout } : {};
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
