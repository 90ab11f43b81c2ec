import { type Command, InvalidArgumentError } from 'commander';
import type { ChannelStatistics } from '../data/channel-statistics.js';
import { usualStatistics } from '../data/usual-statistics.js';
import { InputError } from '../input-error.js';
import type { Space } from '../space/space.js';
import type { ImageTask } from '../tasks/image-task.js';

/** What pixels are standardised by, a number a channel, of pixels scaled to [0, 1]. */
export interface StatisticsFlags {
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

export function addStatisticsFlags(command: Command): Command {
  return command
    .option(
      '--mean <r,g,b>',
      "of pixels from 0 to 1, a number a channel (default: the run's, CIFAR-10's, or ImageNet's for its layout)",
      numbers,
    )
    .option('--std <r,g,b>', 'standard deviation, as --mean; both or none', numbers);
}

function numbers(text: string): number[] {
  const values = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (!values.every(Number.isFinite))
    throw new InvalidArgumentError('Allowed: numbers with commas between them.');
  return values;
}

/**
 * The flags' statistics, those of the run that an architecture is of, or those of the data set that the networks of the
 * space are published for.
 *
 * @returns also whose they are
 * @throws InputError for flags that do not fit the channels, and where there are no statistics for them
 */
export function statisticsFor(
  { mean, std }: StatisticsFlags,
  space: Space,
  channels: number,
  task: ImageTask | undefined,
): ChannelStatistics & { readonly of: string } {
  if (mean !== undefined || std !== undefined) {
    const standardDeviation = perChannel('--std', std, channels);
    const zero = standardDeviation.findIndex((value) => value <= 0);
    if (zero >= 0) throw new InputError(`--std ${std}: number ${zero + 1} is not above 0`);
    return { of: '--mean and --std', mean: perChannel('--mean', mean, channels), standardDeviation };
  }
  const found =
    task === undefined
      ? usualStatistics(space.options.layout === 'imagenet' ? 'imagenet' : 'cifar')
      : { of: "the run's training images", ...task.statistics };
  if (found.mean.length !== channels)
    throw new InputError(
      `images of ${channels} channels, but the statistics of ${found.of} are of ${found.mean.length}: give --mean and --std`,
    );
  return found;
}

function perChannel(flag: string, values: readonly number[] | undefined, channels: number): Float64Array {
  if (values === undefined) throw new InputError(`${flag} is missing: --mean and --std go together`);
  if (values.length !== channels)
    throw new InputError(
      `${flag} ${values}: ${values.length} numbers; the network's images have ${channels} channels, a number each`,
    );
  return Float64Array.from(values);
}
