import type { Augmentation } from '../../data/augmentation.js';
import type { ChannelStatistics } from '../../data/channel-statistics.js';
import type { ImageSet } from '../../data/image-dataset.js';
import { openData } from '../../data/open-data.js';
import { firstImages, holdOut, noImages } from '../../data/split.js';
import { channelStatistics } from '../../data/statistics.js';
import type { InputShape } from '../../space/space.js';
import type { TaskSettings } from '../task-settings.js';

/** Images ready to train on. What is held out of the training set validates. */
export interface OpenedImages {
  readonly train: ImageSet;
  /** Empty where nothing is held out. */
  readonly validation: ImageSet;
  /** Looked at only once everything is decided, never in a search. */
  readonly test: ImageSet;
  readonly classes: readonly string[];
  readonly statistics: ChannelStatistics;
  readonly augmentation: Augmentation;
  readonly shape: InputShape;
  readonly checksum: () => string;
  /** Whether the images are files of any size, which are resized for a network. */
  readonly resized: boolean;
  readonly notes: readonly string[];
}

/**
 * @param share of the training images that is held out where the settings do not say how many
 * @throws InputError for data that is not there or not whole, and for numbers that do not fit it
 */
export function openImages(
  { data, limit, validation, imageSize, seed }: TaskSettings,
  share = 1 / 10,
): OpenedImages {
  const opened = openData(data, imageSize);
  const { train: all, test, classes, augmentation, statistics, checksum } = opened;
  const used = limit === undefined ? all : firstImages(all, limit);
  const count = validation ?? Math.max(1, Math.floor(used.count * share));
  const { train, heldOut } =
    count === 0
      ? { train: used, heldOut: noImages(used) }
      : holdOut(used, { count, seed, stratified: false });
  const { channels, height, width } = train;
  return {
    train,
    validation: heldOut,
    test,
    classes,
    statistics: statistics ?? statisticsOf(train),
    augmentation,
    shape: { channels, height, width, classes: classes.length },
    checksum,
    resized: 'files' in test,
    notes: opened.notes ?? [],
  };
}

function statisticsOf(set: ImageSet): ChannelStatistics {
  if ('files' in set) throw new Error('images in files need statistics that are known');
  return channelStatistics(set);
}
