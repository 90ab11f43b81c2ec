import type { Command } from 'commander';
import type { TaskSettings } from '../tasks/task-settings.js';
import { wholeNumber } from './options.js';

/** How much of the data is used, and in which size images are seen. */
export interface TaskFlags {
  readonly limit?: number | undefined;
  readonly imageSize?: number | undefined;
}

export function addTaskFlags(command: Command): Command {
  return command
    .option('--limit <n>', 'only the first N training images or tokens (default: all)', wholeNumber(2))
    .option(
      '--image-size <n>',
      'height and width of the images, where the data has them in any size (default: 224)',
      wholeNumber(1),
    );
}

/** What the flags say of the data; what they leave open is not there. */
export function taskOf({
  data,
  seed,
  limit,
  validation,
  imageSize,
}: TaskFlags & { readonly data: string; readonly seed: number; readonly validation?: number }): TaskSettings {
  return {
    data,
    seed,
    ...(limit === undefined ? {} : { limit }),
    ...(validation === undefined ? {} : { validation }),
    ...(imageSize === undefined ? {} : { imageSize }),
  };
}
