import { z } from 'zod';
import { measures } from '../measures/measure-names.js';

/** How the columns of a table are read. */
export const tableOptions = z.strictObject({
  architecture: z
    .string()
    .optional()
    .describe('column of the architectures, in any form in which the space reads them: JSON, or a genotype'),
  seen: z
    .string()
    .optional()
    .describe(
      'column of the value that a search sees; several as EPOCHS:COLUMN,EPOCHS:COLUMN for strategies that train for ' +
        'different numbers of epochs',
    ),
  judged: z
    .string()
    .optional()
    .describe(
      'column of the value that the found architecture is judged by (default: the last that a search sees)',
    ),
  cost: z.string().optional().describe('column of the simulated seconds that a trial takes'),
  costEpochs: z
    .int()
    .min(1)
    .optional()
    .describe(
      'epochs that the column of the costs is for; a trial of fewer epochs costs its share (default: all trials cost it whole)',
    ),
  epochs: z
    .int()
    .min(1)
    .optional()
    .describe(
      'epochs of a trial of a strategy that does not say how long it trains (default: the fewest that are seen)',
    ),
  measure: z
    .enum([...measures.keys()] as [string, ...string[]])
    .optional()
    .describe('what the values are; it says whether higher is better (default: accuracy)'),
  percent: z
    .boolean()
    .optional()
    .describe('whether the values are percentages (default: no, but yes in the form of NAS-Bench-201)'),
  continues: z
    .boolean()
    .optional()
    .describe(
      'whether a trial that goes on with an earlier one pays only for the rest; it should not where the values of ' +
        'different numbers of epochs come from schedules of their own, as in NAS-Bench-201 (default: no, but yes in a table ' +
        'made of searches)',
    ),
});

export type TableOptions = z.output<typeof tableOptions>;
