import type { Augmentation } from '../../data/augmentation.js';
import type { ChannelStatistics } from '../../data/channel-statistics.js';
import type { ImageSet } from '../../data/image-dataset.js';
import { openData } from '../../data/open-data.js';
import { firstImages, holdOut, noImages } from '../../data/split.js';
import { channelStatistics } from '../../data/statistics.js';
import { InputError } from '../../input-error.js';
import type { InputShape } from '../../space/space.js';
import { smallValidationNote } from '../small-validation.js';
import type { TaskSettings } from '../task-settings.js';

/** Images ready to train on. What is held out of the training set validates, or what the data has for it. */
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
  const { train, heldOut } =
    opened.validation === undefined
      ? divided(used, { count: validation ?? Math.max(1, Math.floor(used.count * share)), seed })
      : { train: used, heldOut: ownValidation(opened.validation, validation) };
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
    notes: [...(opened.notes ?? []), ...smallNote(heldOut.count)],
  };
}

function divided(used: ImageSet, { count, seed }: { count: number; seed: number }) {
  if (count === 0) return { train: used, heldOut: noImages(used) };
  return holdOut(used, { count, seed, stratified: false });
}

/** Of data that comes with images to validate on: all of them, or the first `count`. */
function ownValidation(set: ImageSet, count = set.count): ImageSet {
  if (count > set.count)
    throw new InputError(`validation ${count}: the data has ${set.count} images to validate on`);
  return count === 0 ? noImages(set) : firstImages(set, count);
}

/** The standard error of an accuracy of 90% is above two points with fewer images. */
const FEW_IMAGES = 225;

function smallNote(count: number): string[] {
  const points = 100 * Math.sqrt((0.9 * 0.1) / count);
  return smallValidationNote(count, {
    least: FEW_IMAGES,
    inputs: count === 1 ? 'image' : 'images',
    consequence:
      `an accuracy of 90% on them is off by ${points.toFixed(1)} points by chance (one standard error), which may decide ` +
      'what seems best.',
  });
}

function statisticsOf(set: ImageSet): ChannelStatistics {
  if ('files' in set) throw new Error('images in files need statistics that are known');
  return channelStatistics(set);
}
