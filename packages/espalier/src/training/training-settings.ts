import { z } from 'zod';

const clip = (most: number) =>
  z.number().min(0).default(most).describe('the most that the norm of the gradient may be; 0: any');
const device = z.string().default('cpu').describe('where networks are trained: cpu, cuda, cuda:1');

/** How a classifier is trained; the defaults are those of the children of Zoph & Le 2016 (section 4.1). */
export const trainingSettings = z.object({
  epochs: z.int().min(1).default(50).describe('passes over the training images (4.1: 50 for a child)'),
  batchSize: z.int().min(1).default(128).describe('images a step'),
  learningRate: z.number().positive().default(0.1).describe('learning rate (4.1: 0.1)'),
  schedule: z
    .enum(['constant', 'cosine', 'exponential'])
    .default('constant')
    .describe(
      'learning rate over the training: constant, half a cosine down to 0, or times the decay each epoch',
    ),
  decay: z
    .number()
    .positive()
    .max(1)
    .default(0.97)
    .describe('of the rate each epoch, where it is exponential'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('momentum (4.1: 0.9)'),
  nesterov: z.boolean().default(true).describe("whether the momentum is Nesterov's (4.1)"),
  weightDecay: z.number().min(0).default(1e-4).describe('weight decay (4.1: 1e-4)'),
  clip: clip(0),
  device,
  precision: z
    .enum(['float32', 'bfloat16'])
    .default('float32')
    .describe(
      'of convolutions and products in training; bfloat16 is faster for wide networks on CPUs with AVX512_BF16; not for ' +
        'networks on kernels of our own (DARTS cells), which refuse it; evaluation is in float32',
    ),
  augment: z.boolean().default(true).describe('random crops, and flips where the data allows them (4.1)'),
  cutout: z.int().min(0).default(0).describe('side of a square cut out of training images; 0: none'),
  colourJitter: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('how far brightness, contrast and saturation of training images change, half as far the hue'),
  dropPath: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('probability of dropping a path that the last epoch has, growing from 0'),
  auxiliaryWeight: z
    .number()
    .min(0)
    .default(0)
    .describe('weight of the loss of the auxiliary head, for networks with one'),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('share of the target given to all classes alike'),
});

export type TrainingSettings = z.infer<typeof trainingSettings>;

/**
 * How a language model is trained; the defaults are those of DARTS on Penn Treebank (Liu, Simonyan & Yang 2018, section
 * A.2.2, and the authors' rnn/train.py).
 */
export const languageTrainingSettings = z.object({
  epochs: z.int().min(1).default(8000).describe('passes over the training text (code: at most 8,000)'),
  batchSize: z.int().min(1).default(64).describe('texts side by side (A.2.2: 64)'),
  learningRate: z.number().positive().default(20).describe('learning rate (A.2.2: 20)'),
  schedule: z
    .enum(['constant', 'cosine', 'exponential'])
    .default('constant')
    .describe(
      'learning rate over the training: constant, half a cosine down to 0, or times the decay each epoch',
    ),
  decay: z.number().positive().max(1).default(1).describe('of the rate each epoch, where it is exponential'),
  momentum: z.number().min(0).lt(1).default(0).describe('momentum (A.2.2: none)'),
  nesterov: z.boolean().default(false).describe("whether the momentum is Nesterov's"),
  weightDecay: z.number().min(0).default(8e-7).describe('weight decay (A.2.2: 8e-7; WikiText-2: 5e-7)'),
  clip: clip(0.25),
  device,
  nonMonotone: z
    .int()
    .min(0)
    .default(5)
    .describe(
      'weights are averaged once the validation perplexity has not got better for so many epochs (NT-ASGD; code: 5); 0: never',
    ),
  stretch: z.int().min(1).default(35).describe('tokens of back-propagation through time, bptt (code: 35)'),
  activationAlpha: z.number().min(0).default(0).describe('weight of activation regularisation (code: 0)'),
  activationBeta: z
    .number()
    .min(0)
    .default(1e-3)
    .describe('weight of slowness regularisation of the activations (code: 0.001)'),
});

export type LanguageTrainingSettings = z.infer<typeof languageTrainingSettings>;
