import type { Augmentation } from './augmentation.js';
import type { ChannelStatistics } from './channel-statistics.js';

/** Images of one size with their classes: in memory, or files that are decoded as they are wanted. */
export type ImageSet = ImagesInMemory | ImagesInFiles;

interface Labelled {
  /** [count], each an index into the data's `classes`. */
  readonly labels: Int32Array;
  readonly count: number;
  /** Of an image as a network sees it, in pixels. */
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Images in one block of memory. */
export interface ImagesInMemory extends Labelled {
  /** [count, height, width, channels], raw bytes 0 to 255: NHWC, the layout libtorch trains fastest on. */
  readonly images: Uint8Array;
}

/** Image files of any size and format, shown to a network in the one size of the set. */
export interface ImagesInFiles extends Labelled {
  /** [count], paths inside of `folder` with a slash between their parts. */
  readonly files: readonly string[];
  readonly folder: string;
  readonly channels: 3;
}

/** A classification data set as a kind's file opens it. */
export interface ImageData<Set extends ImageSet = ImageSet> {
  /** The word before the colon of `--data`. */
  readonly kind: string;
  readonly classes: readonly string[];
  readonly train: Set;
  /** Missing: a part of the training images is held out to validate on. */
  readonly validation?: Set;
  readonly test: Set;
  /** What may be done to a training image of this kind without changing its class. */
  readonly augmentation: Augmentation;
  /** Those that networks of this kind are published with; without them the training images' own are computed. */
  readonly statistics?: ChannelStatistics;
  /**
   * SHA-256 in hexadecimal: of images in memory, of the sizes, pixels and labels of both sets, however the files divide
   * them; of image files, of their paths, contents and labels. Each file is read once, and its checksum kept in a cache
   * until its size or its time changes.
   */
  readonly checksum: () => string;
  /** What a person should know of the data, a sentence each: files that were passed over, a part that is missing. */
  readonly notes?: readonly string[];
}
