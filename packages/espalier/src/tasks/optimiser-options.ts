import { z } from 'zod';

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
 * The options of stochastic gradient descent with momentum, which every training has. A task adds those of its loss.
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
    schedule: z
      .enum(['constant', 'cosine', 'exponential', 'step'])
      .default('constant')
      .describe(
        'course of the learning rate: constant, half a cosine down to 0, exponential decay, or one step down',
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
    momentum: z.number().min(0).lt(1).default(defaults.momentum).describe(text('momentum', 'momentum')),
    nesterov: z
      .boolean()
      .default(defaults.nesterov)
      .describe(text("whether the momentum is Nesterov's", 'nesterov')),
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
