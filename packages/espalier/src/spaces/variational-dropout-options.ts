import { z } from 'zod';
import type { VariationalDropout } from '../networks/recurrent/variational-dropout.js';

const probability = () => z.number().min(0).lt(1);

/** Dropout options of the recurrent spaces. The defaults are those of the DARTS authors' code (rnn/train.py). */
export const variationalDropoutOptions = {
  dropoutEmbedding: probability()
    .default(0.1)
    .describe('probability of dropping a word wherever it occurs in a segment of BPTT length (dropoute)'),
  dropoutInput: probability()
    .default(0.2)
    .describe('probability of dropping elements of the embedded words (dropouti)'),
  dropoutCellInput: probability()
    .default(0.75)
    .describe('probability of dropping elements of the input of a recurrent cell (dropoutx)'),
  dropoutHidden: probability()
    .default(0.25)
    .describe(
      'probability of dropping elements of the hidden states, including those inside a cell (dropouth)',
    ),
  dropoutOutput: probability()
    .default(0.75)
    .describe('probability of dropping elements of the input of the decoder (dropout)'),
};

/** The dropout options among all options of a space. */
export function variationalDropout(options: VariationalDropout): VariationalDropout {
  const { dropoutEmbedding, dropoutInput, dropoutCellInput, dropoutHidden, dropoutOutput } = options;
  return { dropoutEmbedding, dropoutInput, dropoutCellInput, dropoutHidden, dropoutOutput };
}
