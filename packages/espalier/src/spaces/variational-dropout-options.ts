import { z } from 'zod';
import type { VariationalDropout } from '../networks/recurrent/variational-dropout.js';

const probability = () => z.number().min(0).lt(1);

/** Options of a space of recurrent cells; the defaults are those of the authors' code of DARTS (its rnn/train.py). */
export const variationalDropoutOptions = {
  dropoutEmbedding: probability()
    .default(0)
    .describe('probability of dropping a word throughout a stretch of text (dropoute)'),
  dropoutInput: probability().default(0.2).describe('of dropping elements of the embedded words (dropouti)'),
  dropoutCellInput: probability()
    .default(0.75)
    .describe('of dropping elements of what a recurrent cell reads (dropoutx)'),
  dropoutHidden: probability()
    .default(0.25)
    .describe('of dropping elements of hidden states, those within a cell included (dropouth)'),
  dropoutOutput: probability()
    .default(0.75)
    .describe('of dropping elements of what the decoder reads (dropout)'),
};

/** The options of that name, out of all. */
export function variationalDropout(options: VariationalDropout): VariationalDropout {
  const { dropoutEmbedding, dropoutInput, dropoutCellInput, dropoutHidden, dropoutOutput } = options;
  return { dropoutEmbedding, dropoutInput, dropoutCellInput, dropoutHidden, dropoutOutput };
}
