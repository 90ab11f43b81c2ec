import type { Command } from 'commander';
import type { FoundArchitecture } from '../experiments/found-architecture.js';
import type { InputShape } from '../space/space.js';
import { openImageTask } from '../training/image-task.js';
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
      'height and width of the images (default: those of the run, or 32)',
      wholeNumber(1),
    )
    .option('--image-channels <n>', 'colours of the images (default: those of the run, or 3)', wholeNumber(1))
    .option('--classes <n>', 'classes of the images (default: those of the run, or 10)', wholeNumber(1));
}

/** The images of the run that an architecture is of, or CIFAR-10's, but for what the flags say. */
export function imagesFor(
  { task }: FoundArchitecture,
  { imageSize, imageChannels, classes }: ImageFlags,
): InputShape {
  const shape =
    task === undefined ? { channels: 3, height: 32, width: 32, classes: 10 } : openImageTask(task).shape;
  return {
    channels: imageChannels ?? shape.channels,
    height: imageSize ?? shape.height,
    width: imageSize ?? shape.width,
    classes: classes ?? shape.classes,
  };
}
