import { z } from 'zod';

/** Which images or which text a run works on. */
export const taskSettings = z.object({
  data: z.string().describe('kind:path'),
  limit: z.int().min(2).optional().describe('only the first N training images or tokens'),
  validation: z
    .int()
    .min(0)
    .optional()
    .describe(
      'training images held out for validation (4.1: 5,000 of 50,000), a tenth by default, half of them where weights are ' +
        'shared; of a text the first tokens of validation and test, with a limit as many as that by default',
    ),
  imageSize: z
    .int()
    .min(1)
    .optional()
    .describe('height and width of the images, where the data has them in any size'),
  seed: z.int().describe('of the choice of the images held out'),
});

export type TaskSettings = z.infer<typeof taskSettings>;
