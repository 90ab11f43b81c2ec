import { z } from 'zod';
import type { SeenSize } from './shown-pair.js';

/** In which size images are seen. @param longest the usual length of their longer side; 0: as it is */
const sizeOptions = (longest: number) => ({
  scale: z
    .number()
    .positive()
    .max(4)
    .default(1)
    .describe('factor by which images and masks are resized when they are read: 0.5 halves them'),
  longest: z
    .int()
    .min(0)
    .default(longest)
    .describe(
      'length in pixels that the longer side of each image is resized to, whatever its scale; 0: as it is',
    ),
});

/** Options of every kind of images with masks. */
export interface SeenSizeOptions {
  readonly scale: number;
  readonly longest: number;
}

export const seenSizeOptions = z.strictObject(sizeOptions(0));

/** "Resized ADE20K images" (Liu et al. 2019, 5.2): DeepLab's training on ADE20K resizes to at most 512 pixels. */
export const ade20kOptions = z.strictObject(sizeOptions(512));

export const cityscapesOptions = z.strictObject({
  ...sizeOptions(0),
  coarse: z
    .boolean()
    .default(false)
    .describe('whether the 19,998 images of train_extra with coarse masks are trained on too'),
});

export const masksOptions = z.strictObject({
  ...sizeOptions(0),
  images: z.string().default('images').describe('the folder of images inside the folder of the data'),
  masks: z.string().default('masks').describe('the folder of masks, which are called as the images'),
  classes: z
    .int()
    .min(0)
    .max(254)
    .default(0)
    .describe('how many classes there are, numbered from 0; 0: as many as classes.txt names, one a line'),
  void: z.int().min(0).max(255).default(255).describe('the number of pixels that belong to no class'),
  test: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.1)
    .describe('share of the images that tests, drawn at random but the same in every run'),
});

export function seenSize({ scale, longest }: SeenSizeOptions): SeenSize {
  return longest > 0 ? { longest } : { scale };
}
