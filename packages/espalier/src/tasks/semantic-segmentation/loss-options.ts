import { z } from 'zod';

/** The options of the loss that trainings and supernets have alike. */
export const segmentationLossOptions = {
  augment: z
    .boolean()
    .default(true)
    .describe(
      'whether training images are enlarged by a random factor, and mirrored; they are cropped in any case',
    ),
  leastScale: z
    .number()
    .min(0.25)
    .max(4)
    .default(0.5)
    .describe(
      'least factor by which training images are enlarged, in steps of a quarter (DeepLabv3, Chen et al. 2017, 4.1: 0.5)',
    ),
  mostScale: z
    .number()
    .min(0.25)
    .max(4)
    .default(2)
    .describe('greatest factor by which training images are enlarged (4.1: 2)'),
  classWeights: z
    .array(z.number().min(0))
    .default([])
    .describe('weight of the pixels of each class in the loss, a number each; [] weighs all alike'),
};
