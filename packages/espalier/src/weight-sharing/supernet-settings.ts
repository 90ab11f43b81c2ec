import { z } from 'zod';

const device = z.string().default('cpu').describe('where the supernet is trained: cpu, cuda, cuda:1');
const epochs = z.int().min(1).default(50).describe('passes over the training data (A.1: 50)');
const clip = (norm: number) =>
  z
    .number()
    .positive()
    .default(norm)
    .describe(`the most that the norm of the weights' gradient may be (${norm})`);

/**
 * How the weights of a supernet of images are trained; the defaults are those of DARTS on CIFAR-10 (Liu, Simonyan &
 * Yang 2018, section A.1.1, and the authors' cnn/train_search.py).
 */
export const imageSupernetOptions = {
  epochs,
  batchSize: z.int().min(1).default(64).describe('images a step (A.1.1: 64)'),
  learningRate: z.number().positive().default(0.025).describe('of the weights w at first, xi (A.1.1: 0.025)'),
  finalLearningRate: z
    .number()
    .min(0)
    .default(0.001)
    .describe('where half a cosine takes it by the end (learning_rate_min of the code: 0.001)'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('of the weights, mu (A.1.1: 0.9)'),
  weightDecay: z.number().min(0).default(3e-4).describe('of the weights (A.1.1: 3e-4)'),
  clip: clip(5),
  partialChannels: z
    .int()
    .min(1)
    .default(1)
    .describe(
      'K: the operations see one in K channels, and edges get weights of their own; 1: all (PC-DARTS, Xu et al. 2020: 4)',
    ),
  augment: z.boolean().default(true).describe('random crops, and flips where the data allows them'),
  cutout: z.int().min(0).default(0).describe('side of the square cut out of training images; 0: none'),
  device,
};

/** The same for a text: those of DARTS on Penn Treebank (section A.1.2, and the authors' rnn/train_search.py). */
export const textSupernetOptions = {
  epochs,
  batchSize: z.int().min(1).default(256).describe('texts side by side (A.1.2: 256)'),
  learningRate: z.number().positive().default(20).describe('of the weights w (A.1.2: 20)'),
  finalLearningRate: z
    .number()
    .min(0)
    .default(20)
    .describe('where half a cosine takes it by the end (A.1.2: it stays)'),
  momentum: z.number().min(0).lt(1).default(0).describe('of the weights (A.1.2: none)'),
  weightDecay: z.number().min(0).default(5e-7).describe('of the weights (A.1.2: 5e-7)'),
  clip: clip(0.25),
  stretch: z
    .int()
    .min(1)
    .default(35)
    .describe('tokens that back-propagation through time goes over, bptt (A.1.2: 35)'),
  activationAlpha: z.number().min(0).default(0).describe('weight of activation regularisation (code: 0)'),
  activationBeta: z
    .number()
    .min(0)
    .default(1e-3)
    .describe('weight of slowness regularisation of the activations (code: 0.001)'),
  device,
};

const both = z.object({ ...imageSupernetOptions, ...textSupernetOptions });

/** What the training of either kind of supernet has. */
export type SupernetSettings = Pick<
  z.infer<typeof both>,
  keyof typeof imageSupernetOptions & keyof typeof textSupernetOptions
>;
