import type { Space } from '../../space/space.js';
import type { TrainingOptions } from '../task-definition.js';
import type { SegmentationTrainingOptions } from './training-options.js';

/**
 * How Auto-DeepLab trains its networks from scratch (Liu et al. 2019, section 5.2): poly schedule from 0.05, scheduled drop
 * path. The paper says neither the batch size nor the weight decay; they are the defaults of the authors' train.py. Nor does
 * it say the probability of dropping a path: this one is that of DARTS.
 */
const autoDeepLab: Partial<SegmentationTrainingOptions> = {
  batchSize: 8,
  learningRate: 0.05,
  schedule: 'poly',
  weightDecay: 4e-5,
  dropPath: 0.2,
};

/**
 * The iterations of section 5.2 as passes over the training images, 8 at a time: 1.5 million on the 2,975 of Cityscapes and
 * on the 10,582 of VOC 2012 with the augmented list, 4 million on the 20,210 of ADE20K.
 */
const epochsOn: Readonly<Record<string, number>> = {
  cityscapes: Math.round((1.5e6 * 8) / 2975),
  voc: Math.round((1.5e6 * 8) / 10_582),
  ade20k: Math.round((4e6 * 8) / 20_210),
};

/** On data that the paper does not have: not in the paper. */
const USUAL_EPOCHS = 500;

/** How the paper trains what it has found, on its own data or on others. */
export function paperTraining(_space: Space, data?: string): TrainingOptions {
  const kind = data?.split(':')[0] ?? '';
  return { ...autoDeepLab, epochs: epochsOn[kind] ?? USUAL_EPOCHS } as TrainingOptions;
}

/** A training of minutes on a laptop. */
export const smallTraining = {
  epochs: 20,
  batchSize: 4,
  learningRate: 0.05,
  schedule: 'poly',
  weightDecay: 1e-4,
} as const satisfies Partial<SegmentationTrainingOptions>;

/** Children of seconds. */
export const smallChild = {
  epochs: 2,
  batchSize: 4,
  schedule: 'poly',
} as const satisfies Partial<SegmentationTrainingOptions>;
