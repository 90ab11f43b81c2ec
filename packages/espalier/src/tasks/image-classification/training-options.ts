import { z } from 'zod';
import { optimiserOptions } from '../optimiser-options.js';

/** How a classifier is trained; the defaults are those of the children of Zoph & Le 2016 (section 4.1). */
export const imageTrainingOptions = z.strictObject({
  ...optimiserOptions(
    {
      epochs: 50,
      batchSize: 128,
      learningRate: 0.1,
      momentum: 0.9,
      nesterov: true,
      weightDecay: 1e-4,
      clip: 0,
      decay: 0.97,
    },
    'images',
    {
      epochs: '4.1: 50 for a child',
      learningRate: '4.1: 0.1',
      momentum: '4.1: 0.9',
      nesterov: '4.1',
      weightDecay: '4.1: 1e-4',
    },
  ),
  precision: z
    .enum(['float32', 'bfloat16'])
    .default('float32')
    .describe(
      'precision of convolutions and matrix products in training. bfloat16 is faster for wide networks on CPUs with ' +
        'AVX512_BF16. Networks on our own kernels (DARTS cells) refuse it. Evaluation is always in float32',
    ),
  augment: z
    .boolean()
    .default(true)
    .describe('whether training images are cropped, and mirrored where the data allows it (4.1)'),
  cutout: z
    .int()
    .min(0)
    .default(0)
    .describe('side in pixels of a square cut out of each training image; 0 cuts none'),
  colourJitter: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'how far brightness, contrast and saturation of training images change; the hue changes half as far',
    ),
  dropPath: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('probability of dropping a path at the end of the training; it grows linearly from 0'),
  dropPathGrowsBy: z
    .enum(['epoch', 'step'])
    .default('epoch')
    .describe("when that probability grows: by epoch (DARTS' code) or by step (NASNet's code)"),
  auxiliaryWeight: z
    .number()
    .min(0)
    .default(0)
    .describe("weight of the auxiliary head's loss, for networks that have one"),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('share of the target that is spread evenly over all classes'),
});

export type ImageTrainingOptions = z.infer<typeof imageTrainingOptions>;
