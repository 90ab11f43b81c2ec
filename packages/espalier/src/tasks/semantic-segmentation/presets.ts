import type { Space } from '../../space/space.js';
import type { TrainingOptions } from '../task-definition.js';
import type { SegmentationTrainingOptions } from './training-options.js';

/** How the paper of a space trains what it has found. */
export function paperTraining(_space: Space): TrainingOptions {
  return { schedule: 'cosine' } satisfies Partial<SegmentationTrainingOptions> as TrainingOptions;
}

/** A training of minutes on a laptop. */
export const smallTraining = {
  epochs: 20,
  batchSize: 4,
  learningRate: 0.05,
  schedule: 'cosine',
  weightDecay: 1e-4,
} as const satisfies Partial<SegmentationTrainingOptions>;

/** Children of seconds. */
export const smallChild = {
  epochs: 2,
  batchSize: 4,
  schedule: 'cosine',
} as const satisfies Partial<SegmentationTrainingOptions>;
