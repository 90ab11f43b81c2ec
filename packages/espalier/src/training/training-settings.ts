import { z } from 'zod';

/** How a classifier is trained; the defaults are those of the children of Zoph & Le 2016 (section 4.1). */
export const trainingSettings = z.object({
  epochs: z.int().min(1).default(50).describe('passes over the training images (4.1: 50 for a child)'),
  batchSize: z.int().min(1).default(128).describe('images a step'),
  learningRate: z.number().positive().default(0.1).describe('learning rate (4.1: 0.1)'),
  schedule: z
    .enum(['constant', 'cosine'])
    .default('constant')
    .describe('learning rate over the training: constant, or half a cosine down to 0'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('momentum (4.1: 0.9)'),
  nesterov: z.boolean().default(true).describe("whether the momentum is Nesterov's (4.1)"),
  weightDecay: z.number().min(0).default(1e-4).describe('weight decay (4.1: 1e-4)'),
  clip: z.number().min(0).default(0).describe("the most that the norm of the gradient may be; 0: any"),
  device: z.string().default('cpu').describe('where networks are trained: cpu, cuda, cuda:1'),
  augment: z.boolean().default(true).describe('random crops, and flips where the data allows them (4.1)'),
  cutout: z.int().min(0).default(0).describe('side of a square cut out of training images; 0: none'),
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
  labelSmoothing: z.number().min(0).lt(1).default(0).describe('share of the target given to all classes alike'),
});

export type TrainingSettings = z.infer<typeof trainingSettings>;

/**
 * How DARTS trains what it has found from scratch (Liu, Simonyan & Yang 2018, section A.2.1, and the authors'
 * cnn/train.py): the settings of `train` for spaces of cells.
 */
export const dartsTraining: Partial<TrainingSettings> = {
  epochs: 600,
  batchSize: 96,
  learningRate: 0.025,
  schedule: 'cosine',
  nesterov: false,
  weightDecay: 3e-4,
  clip: 5,
  cutout: 16,
  dropPath: 0.2,
  auxiliaryWeight: 0.4,
};
