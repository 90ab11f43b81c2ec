import { z } from 'zod';
import { languageTrainingOptions } from './training-options.js';

const { validationColumns, activationAlpha, activationBeta } = languageTrainingOptions.shape;

/**
 * How the weights of a supernet of language models are trained; the defaults are those of DARTS on Penn Treebank (Liu,
 * Simonyan & Yang 2018, section A.1.2, and the authors' rnn/train_search.py).
 */
export const languageSupernetOptions = {
  epochs: z.int().min(1).default(50).describe('passes over the training data (A.1: 50)'),
  batchSize: z
    .int()
    .min(1)
    .default(256)
    .describe('columns of the text, side by side, of a step (A.1.2: 256)'),
  learningRate: z.number().positive().default(20).describe('learning rate of the weights w (A.1.2: 20)'),
  finalLearningRate: z
    .number()
    .min(0)
    .default(20)
    .describe(
      'learning rate at the end of its half cosine, which falls from epoch to epoch (A.1.2: it stays)',
    ),
  momentum: z.number().min(0).lt(1).default(0).describe('momentum of the weights (A.1.2: none)'),
  weightDecay: z.number().min(0).default(5e-7).describe('weight decay of the weights (A.1.2: 5e-7)'),
  clip: z.number().positive().default(0.25).describe("greatest norm of the weights' gradient (code: 0.25)"),
  bptt: z
    .int()
    .min(1)
    .default(35)
    .describe('BPTT length: tokens that back-propagation through time goes over (A.1.2: 35)'),
  activationAlpha,
  activationBeta,
  validationColumns,
  device: z.string().default('cpu').describe('device that trains the supernet: cpu, cuda, cuda:1'),
};
