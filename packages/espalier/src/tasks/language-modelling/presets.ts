import type { Json } from '../../json.js';
import type { Space } from '../../space/space.js';
import type { Grid, TrainingOptions, TrainingPreset } from '../task-definition.js';

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
 * How a found cell is tried on the characters of Penn Treebank: as Ha et al. 2016 train (*HyperNetworks*, appendix A.3.3), with
 * variational dropout instead, for 80,000 steps, of which the one with the best validation decides (Zoph & Le 2016, section
 * 4.2). 202 epochs of that text have 80,000 such steps.
 */
const characters: TrainingOptions = {
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
};

/**
 * The models of these characters. Ha et al. keep 90% of inputs, outputs and hidden states. The hidden units of Zoph & Le are not
 * published: with base 8, 452 make two layers of 6.56 million parameters, theirs have 6.57 million (table 3). For cells of
 * other spaces nothing is published, and they keep their size.
 */
const characterModels: Readonly<Record<string, Json>> = {
  dropoutEmbedding: 0,
  dropoutInput: 0.1,
  dropoutCellInput: 0,
  dropoutHidden: 0.1,
  dropoutOutput: 0.1,
};

/** `character`, for texts at that level. */
export function languagePresets({ definition }: Space): Readonly<Record<string, TrainingPreset>> {
  const known = definition.options?.shape ?? {};
  const size = definition.name === 'zoph-rnn' ? { hidden: 452, layers: 2 } : {};
  const space = Object.entries({ ...size, ...characterModels }).filter(([option]) => option in known);
  return { character: { training: characters, space: Object.fromEntries(space) } };
}

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
    training: { ...medium, optimiser: 'sgd' },
    grid: {
      'training.learningRate': [35, 17.5],
      ...(has('initialRange') ? { 'space.initialRange': [0.05, 0.1] } : {}),
      ...(has('dropoutOutput') ? { 'space.dropoutOutput': [0.5, 0.75] } : {}),
      'training.decayEpoch': [Math.ceil(epochs / 6), Math.ceil(epochs / 3)],
    },
  };
}
