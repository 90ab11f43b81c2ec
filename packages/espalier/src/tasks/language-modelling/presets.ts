import type { Space } from '../../space/space.js';
import type { Grid, TrainingOptions } from '../task-definition.js';

/**
 * How the medium models of Zaremba et al. 2014 (section 4.1) are trained, whose size the children of Zoph & Le have. Their
 * learning rate of 1 and their clip of 5 are for the sum of the losses of 35 steps, and ours for the mean.
 */
const medium: TrainingOptions = {
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
};

/**
 * How the paper of a space trains the children of a search: 35 epochs (Zoph & Le 2016, section 4.2), which says nothing
 * else of it.
 */
export function paperChild({ name }: Space): TrainingOptions {
  return name === 'zoph-rnn' ? { ...medium, epochs: 35 } : { epochs: 35 };
}

/**
 * "A grid search over learning rate, weight initialization, dropout rates and decay epoch" (Zoph & Le 2016, section 4.2). The
 * values are not published; these are around those of the medium models.
 */
export function tuningGrid(
  { definition }: Space,
  epochs: number,
): { readonly grid: Grid; readonly training: TrainingOptions } {
  const has = (option: string) => option in (definition.options?.shape ?? {});
  return {
    training: medium,
    grid: {
      'training.learningRate': [35, 17.5],
      ...(has('initialRange') ? { 'space.initialRange': [0.05, 0.1] } : {}),
      ...(has('dropoutOutput') ? { 'space.dropoutOutput': [0.5, 0.75] } : {}),
      'training.decayEpoch': [Math.ceil(epochs / 6), Math.ceil(epochs / 3)],
    },
  };
}
