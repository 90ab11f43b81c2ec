import { z } from 'zod';
import { optimiserOptions } from '../optimiser-options.js';

/**
 * How a language model is trained; the defaults are those of DARTS on Penn Treebank (Liu, Simonyan & Yang 2018, section
 * A.2.2, and the authors' rnn/train.py).
 */
export const languageTrainingOptions = z.strictObject({
  ...optimiserOptions(
    {
      epochs: 8000,
      batchSize: 64,
      learningRate: 20,
      momentum: 0,
      nesterov: false,
      weightDecay: 8e-7,
      clip: 0.25,
      decay: 1,
    },
    'columns of the text, side by side,',
    {
      epochs: 'code: at most 8,000',
      batchSize: 'A.2.2: 64',
      learningRate: 'A.2.2: 20',
      momentum: 'A.2.2: none',
      weightDecay: 'A.2.2: 8e-7; WikiText-2: 5e-7',
      clip: 'code: 0.25',
    },
  ),
  nonMonotone: z
    .int()
    .min(0)
    .default(5)
    .describe(
      'the weights are averaged once the validation perplexity has not improved for this many epochs (NT-ASGD; code: ' +
        '5); 0 never averages',
    ),
  keepBest: z
    .boolean()
    .default(true)
    .describe(
      'ends with the weights of the epoch with the best validation perplexity, and goes back to them once where the loss ' +
        'is not finite, instead of ending (code: true)',
    ),
  bptt: z
    .int()
    .min(1)
    .default(35)
    .describe('BPTT length: tokens that back-propagation through time goes over (code: 35)'),
  activationAlpha: z.number().min(0).default(0).describe('weight of activation regularisation (code: 0)'),
  activationBeta: z
    .number()
    .min(0)
    .default(1e-3)
    .describe('weight of temporal activation regularisation, the slowness of the activations (code: 0.001)'),
  validationColumns: z
    .int()
    .min(1)
    .default(10)
    .describe('columns that the validation text is read in (code: 10)'),
  testColumns: z
    .int()
    .min(1)
    .default(1)
    .describe('columns that the test text is read in; one column drops no token (code: 1)'),
});
