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
  partialChannels: z
    .int()
    .min(1)
    .default(1)
    .describe(
      'K: the operations see one channel in K, and edges get weights of their own; 1 shows them all channels ' +
        '(PC-DARTS, Xu et al. 2020: 4). Its authors also set, on CIFAR-10, batchSize 256, learningRate 0.1, ' +
        'alphaLearningRate 6e-4 and warmUp 15; on ImageNet K = 2, batchSize 1024, learningRate 0.5, finalLearningRate 0, ' +
        'alphaLearningRate 6e-3 and warmUp 35, a learning rate that rises over the first 5 epochs, and alphas whose ' +
        'gradient is clipped to 5 (the last two do not exist here)',
    ),
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
