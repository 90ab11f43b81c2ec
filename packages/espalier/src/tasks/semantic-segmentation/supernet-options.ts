import { z } from 'zod';
import { segmentationLossOptions } from './loss-options.js';

/** How the weights of a supernet of segmenters are trained; the defaults are those of Auto-DeepLab (Liu et al. 2019, 5.1). */
export const segmentationSupernetOptions = {
  epochs: z.int().min(1).default(40).describe('passes over the training data (5.1: 40)'),
  batchSize: z.int().min(1).default(2).describe('images of a step (5.1: 2)'),
  learningRate: z
    .number()
    .positive()
    .default(0.025)
    .describe('learning rate of the weights w at first (5.1: 0.025)'),
  finalLearningRate: z
    .number()
    .min(0)
    .default(0.001)
    .describe('learning rate at the end of its half cosine, which falls from epoch to epoch (5.1: 0.001)'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('momentum of the weights (5.1: 0.9)'),
  weightDecay: z.number().min(0).default(3e-4).describe('weight decay of the weights (5.1: 3e-4)'),
  clip: z
    .number()
    .positive()
    .default(5)
    .describe(
      "greatest norm of the weights' gradient. The paper does not say; this is that of DARTS, whose optimisation it follows",
    ),
  ...segmentationLossOptions,
  device: z.string().default('cpu').describe('device that trains the supernet: cpu, cuda, cuda:1'),
};
