import type { Command } from 'commander';
import type { FoundArchitecture } from '../experiments/found-architecture.js';
import type { InputShape, Space } from '../space/space.js';
import { openImageTask } from '../tasks/image-task.js';
import { wholeNumber } from './options.js';

/** Which images a network is built for, where a command has no data to see it from. */
export interface ImageFlags {
  readonly imageSize?: number;
  readonly imageChannels?: number;
  readonly classes?: number;
}

export function addImageFlags(command: Command): Command {
  return command
    .option(
      '--image-size <n>',
      'height and width of the images (default: those of the run, or the usual ones)',
      wholeNumber(1),
    )
    .option(
      '--image-channels <n>',
      'colours of the images (default: those of the run, or the usual ones)',
      wholeNumber(1),
    )
    .option(
      '--classes <n>',
      'classes of the images (default: those of the run, or the usual ones)',
      wholeNumber(1),
    );
}

/** What networks of a space are published for: CIFAR-10, ImageNet, or Cityscapes in a crop of the paper's training. */
function usualImages({ name, options }: Space): InputShape {
  if (name === 'auto-deeplab') return { channels: 3, height: 321, width: 321, classes: 19 };
  return options.layout === 'imagenet'
    ? { channels: 3, height: 224, width: 224, classes: 1000 }
    : { channels: 3, height: 32, width: 32, classes: 10 };
}

/**
 * The images of the run that an architecture is of, or the usual ones of its space, but for what the flags say.
 *
 * @param opened the run's images, where they are open already
 */
export function imagesFor(
  { task, space }: Pick<FoundArchitecture, 'task' | 'space'>,
  { imageSize, imageChannels, classes }: ImageFlags,
  opened = task && openImageTask(task),
): InputShape {
  const shape = opened?.shape ?? usualImages(space);
  return {
    channels: imageChannels ?? shape.channels,
    height: imageSize ?? shape.height,
    width: imageSize ?? shape.width,
    classes: classes ?? shape.classes,
  };
}
