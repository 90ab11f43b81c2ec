import type { MaskedImages, PixelClass, SegmentationData } from '../../data/masked-images.js';
import { firstPairs, holdOutPairs } from '../../data/masked-split.js';
import { openMaskedData } from '../../data/open-data.js';
import type { Size } from '../../data/view.js';
import { InputError } from '../../input-error.js';
import type { InputShape } from '../../space/space.js';
import { smallValidationNote } from '../small-validation.js';
import type { TaskSettings } from '../task-settings.js';

/** Images with masks ready to train on. */
export interface OpenedMasks {
  readonly train: MaskedImages;
  /** Empty where nothing is held out. */
  readonly validation: MaskedImages;
  /** Looked at only once everything is decided, never in a search. */
  readonly test: MaskedImages;
  readonly classes: readonly PixelClass[];
  readonly statistics: SegmentationData['statistics'];
  /** The crop of training images, in pixels. */
  readonly crop: Size;
  readonly shape: InputShape;
  readonly checksum: () => string;
  readonly notes: readonly string[];
}

/** The share of the training images that is held out where neither the settings nor the data say what validates. */
const USUAL_SHARE = 1 / 10;

/**
 * @param share of the training images that is held out, even where the data has images to validate on: a supernet learns
 *   weights and architecture from two disjoint parts of the training data (Liu et al. 2019, section 4.2)
 * @throws InputError for data that is not there or not whole, and for numbers that do not fit it
 */
export function openMasks(
  { data, limit, validation, imageSize, seed }: TaskSettings,
  share?: number,
): OpenedMasks {
  const opened = openMaskedData(data, imageSize);
  const { train: all, test, classes, crop, statistics, checksum } = opened;
  const used = limit === undefined ? all : firstPairs(all, limit);
  const { train, heldOut } =
    opened.validation === undefined || share !== undefined
      ? divided(used, {
          count: validation ?? Math.max(1, Math.floor(used.count * (share ?? USUAL_SHARE))),
          seed,
        })
      : { train: used, heldOut: ownValidation(opened.validation, validation) };
  return {
    train,
    validation: heldOut,
    test,
    classes,
    statistics,
    crop,
    shape: { channels: 3, ...crop, classes: classes.length },
    checksum,
    notes: [...(opened.notes ?? []), ...smallNote(heldOut.count)],
  };
}

function divided(used: MaskedImages, { count, seed }: { count: number; seed: number }) {
  if (count === 0) return { train: used, heldOut: firstPairs(used, 0) };
  return holdOutPairs(used, { count, seed });
}

/** Of data that comes with images to validate on: all of them, or the first `count`. */
function ownValidation(set: MaskedImages, count = set.count): MaskedImages {
  if (count > set.count)
    throw new InputError(`validation ${count}: the data has ${set.count} images to validate on`);
  return firstPairs(set, count);
}

/** With fewer images, classes that are rare are on too few of them for their intersection over union. */
const FEW_IMAGES = 30;

function smallNote(count: number): string[] {
  return smallValidationNote(count, {
    least: FEW_IMAGES,
    inputs: count === 1 ? 'image' : 'images',
    consequence:
      'a class that is on few of them has an intersection over union that depends on these alone, and counts as much in the ' +
      'mean as the others.',
  });
}
