import { z } from 'zod';

/** The update rules of the weights. */
const OPTIMISER_NAMES = ['sgd', 'adam', 'rmsprop', 'rmsprop-tf'] as const;

export type OptimiserName = (typeof OPTIMISER_NAMES)[number];

/** The defaults of a task's paper for the options that every training has. */
export interface OptimiserDefaults {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly clip: number;
  /** Per epoch, of the exponential schedule. */
  readonly decay: number;
}

/** Where the defaults come from, for the help: `4.1: 0.1`. A missing text leaves the source out. */
export type OptimiserSources = Readonly<Partial<Record<keyof OptimiserDefaults, string>>>;

/**
 * The options of the optimiser, which every training has. A task adds those of its loss.
 *
 * @param inputs what a batch holds, for the help: `images`
 * @param sources the place in the paper of each default
 */
export function optimiserOptions(
  defaults: OptimiserDefaults,
  inputs: string,
  sources: OptimiserSources = {},
) {
  const text = (what: string, key: keyof OptimiserDefaults) =>
    sources[key] === undefined ? what : `${what} (${sources[key]})`;
  return {
    epochs: z.int().min(1).default(defaults.epochs).describe(text('passes over the training data', 'epochs')),
    batchSize: z
      .int()
      .min(1)
      .default(defaults.batchSize)
      .describe(text(`${inputs} of a step`, 'batchSize')),
    learningRate: z
      .number()
      .positive()
      .default(defaults.learningRate)
      .describe(text('learning rate', 'learningRate')),
    optimiser: z
      .enum(OPTIMISER_NAMES)
      .default('sgd')
      .describe(
        'update rule: sgd; adam (beta_1 0.9); rmsprop, which adds epsilon to the root as PyTorch does; rmsprop-tf, which adds ' +
          'it under the root as TensorFlow does',
      ),
    squareDecay: z
      .number()
      .min(0)
      .lt(1)
      .nullable()
      .default(null)
      .describe(
        'decay rate of the mean square of the gradients; null: 0.999 (beta_2) of adam, 0.99 (alpha) of rmsprop',
      ),
    epsilon: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .describe('epsilon of adam and rmsprop, beside the root of that mean square; null: 1e-8'),
    schedule: z
      .enum(['constant', 'cosine', 'poly', 'exponential', 'step'])
      .default('constant')
      .describe(
        'course of the learning rate: constant, half a cosine down to 0, poly (down to 0 as (1 - step / steps)^0.9, DeepLab), ' +
          'exponential decay, or one step down',
      ),
    decay: z
      .number()
      .positive()
      .max(1)
      .default(defaults.decay)
      .describe('factor of the learning rate: exponential, after each epoch; step, once'),
    decayEpoch: z
      .int()
      .min(1)
      .default(1)
      .describe('epochs at the full learning rate before it decays: exponential and step'),
    decayEvery: z
      .number()
      .positive()
      .default(1)
      .describe('epochs from one decay to the next of the exponential schedule, which need not be whole'),
    momentum: z
      .number()
      .min(0)
      .lt(1)
      .default(defaults.momentum)
      .describe(text('momentum of sgd and rmsprop', 'momentum')),
    nesterov: z
      .boolean()
      .default(defaults.nesterov)
      .describe(text("whether the momentum of sgd is Nesterov's", 'nesterov')),
    weightDecay: z
      .number()
      .min(0)
      .default(defaults.weightDecay)
      .describe(text('weight decay', 'weightDecay')),
    clip: z
      .number()
      .min(0)
      .default(defaults.clip)
      .describe(text('greatest norm of the gradient; 0 does not clip it', 'clip')),
    averageDecay: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'decay rate of a running average of the weights, which is what is evaluated and kept; (1 + t) / (10 + t) in step t ' +
          'while that is less. 0 does not average',
      ),
    keepBest: z
      .boolean()
      .default(false)
      .describe(
        'ends with the weights of the epoch with the best validation measure, and goes back to them once where the loss is ' +
          'not finite, instead of ending. Where the data has no validation part, a share of the training data is held out',
      ),
    device: z.string().default('cpu').describe('device that trains: cpu, cuda, cuda:1'),
  };
}
