import { z } from 'zod';
import { optimiserOptions } from '../optimiser-options.js';
import { segmentationLossOptions } from './loss-options.js';

/** How a segmenter is trained; the defaults are those of DeepLab (Chen et al. 2018, and the authors' train.py). */
export const segmentationTrainingOptions = z.strictObject({
  ...optimiserOptions(
    {
      epochs: 50,
      batchSize: 16,
      learningRate: 0.05,
      momentum: 0.9,
      nesterov: false,
      weightDecay: 4e-5,
      clip: 0,
      decay: 0.97,
    },
    'images',
    { learningRate: 'Liu et al. 2019, 5.2: 0.05', weightDecay: "the authors' train.py: 4e-5" },
  ),
  ...segmentationLossOptions,
  evalScales: z
    .array(z.number().positive().max(8))
    .min(1)
    .default([1])
    .describe(
      'factors by which an image is enlarged in evaluation, a pass each, whose probabilities are averaged (DeepLabv3+, Chen ' +
        'et al. 2018, section 4: [0.5, 0.75, 1, 1.25, 1.5, 1.75])',
    ),
  evalFlip: z
    .boolean()
    .default(false)
    .describe('whether each pass of an evaluation is repeated on the mirrored image'),
  evalTile: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'side in pixels of the overlapping tiles that larger images are evaluated in, where memory needs it; 0: whole images',
    ),
  dropPath: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(
      'probability of dropping a path of the last layer at the end of the training; it grows linearly from 0 with the layers ' +
        'and with the time (scheduled drop path, Liu et al. 2019, 5.2)',
    ),
  dropPathGrowsBy: z
    .enum(['epoch', 'step'])
    .default('step')
    .describe("when that probability grows: by step (NASNet's code) or by epoch"),
});

export type SegmentationTrainingOptions = z.infer<typeof segmentationTrainingOptions>;
