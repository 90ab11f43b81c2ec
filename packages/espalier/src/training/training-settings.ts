import { z } from 'zod';

/** How a network is trained; the defaults are those of the children of Zoph & Le 2016 (section 4.1). */
export const trainingSettings = z.object({
  epochs: z.int().min(1).default(50).describe('passes over the training images (4.1: 50 for a child)'),
  batchSize: z.int().min(1).default(128).describe('images a step'),
  learningRate: z.number().positive().default(0.1).describe('learning rate (4.1: 0.1)'),
  schedule: z
    .enum(['constant', 'cosine'])
    .default('constant')
    .describe('learning rate over the training: constant, or half a cosine down to 0'),
  momentum: z.number().min(0).lt(1).default(0.9).describe('Nesterov momentum (4.1: 0.9)'),
  weightDecay: z.number().min(0).default(1e-4).describe('weight decay (4.1: 1e-4)'),
  device: z.string().default('cpu').describe('where networks are trained: cpu, cuda, cuda:1'),
  augment: z.boolean().default(true).describe('random crops, and flips where the data allows them (4.1)'),
});

export type TrainingSettings = z.infer<typeof trainingSettings>;
