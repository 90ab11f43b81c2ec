import { z } from 'zod';

/**
 * How the weights of a supernet of images are trained; the defaults are those of DARTS on CIFAR-10 (Liu, Simonyan &
 * Yang 2018, section A.1.1, and the authors' cnn/train_search.py).
 */
export const imageSupernetOptions = {
  epochs: z.int().min(1).default(50).describe('passes over the training data (A.1: 50)'),
  batchSize: z.int().min(1).default(64).describe('images of a step (A.1.1: 64)'),
  learningRate: z
    .number()
    .positive()
    .default(0.025)
    .describe('learning rate of the weights w at first, xi (A.1.1: 0.025)'),
  finalLearningRate: z
    .number()
    .min(0)
    .default(0.001)
    .describe(
      'learning rate at the end of its half cosine, which falls from epoch to epoch (learning_rate_min of the code: 0.001)',
    ),
  momentum: z.number().min(0).lt(1).default(0.9).describe('momentum of the weights (A.1.1: 0.9)'),
  weightDecay: z.number().min(0).default(3e-4).describe('weight decay of the weights (A.1.1: 3e-4)'),
  clip: z.number().positive().default(5).describe("greatest norm of the weights' gradient (code: 5)"),
  augment: z
    .boolean()
    .default(true)
    .describe('whether training images are cropped, and mirrored where the data allows it'),
  cutout: z
    .int()
    .min(0)
    .default(0)
    .describe('side in pixels of a square cut out of each training image; 0 cuts none'),
  device: z.string().default('cpu').describe('device that trains the supernet: cpu, cuda, cuda:1'),
};
