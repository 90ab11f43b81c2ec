import type { ChannelStatistics } from './channel-statistics.js';
import type { MaskLabels } from './mask-file.js';
import type { SeenSize } from './shown-pair.js';
import type { Size } from './view.js';

/** Images in files of any size, each with a mask in a file, which has the class of each pixel. */
export interface MaskedImages {
  /** [count], paths inside of `folder` with a slash between their parts. */
  readonly images: readonly string[];
  /** [count], the mask of each image, in the same form. */
  readonly masks: readonly string[];
  readonly count: number;
  readonly folder: string;
  readonly labels: MaskLabels;
  readonly seen: SeenSize;
}

/** A class of pixels. */
export interface PixelClass {
  readonly name: string;
  /** How pictures show it: red, green and blue, 0 to 255. */
  readonly colour: readonly [number, number, number];
}

/** Data for semantic segmentation, as a kind's file opens it. */
export interface SegmentationData {
  /** The word before the colon of `--data`. */
  readonly kind: string;
  /** In the order of the labels. */
  readonly classes: readonly PixelClass[];
  readonly train: MaskedImages;
  /** Missing: a part of the training images is held out to validate on. */
  readonly validation?: MaskedImages;
  readonly test: MaskedImages;
  /** The crop that networks are trained on where nobody says another. */
  readonly crop: Size;
  readonly statistics: ChannelStatistics;
  /** SHA-256 in hexadecimal of the paths and the contents of all images and masks, part by part. */
  readonly checksum: () => string;
  /** What a person should know of the data, a sentence each. */
  readonly notes?: readonly string[];
}
