import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { trainingOptions } from '../experiments/opened-training.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Space } from '../space/space.js';
import { auxiliaryOptions, paperTraining, smallTraining } from '../training/paper-settings.js';
import { collectSetting, shareOut, wholeNumber } from './options.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { addTaskFlags, type TaskFlags } from './task-flags.js';

/** How an architecture that was found is trained from scratch. */
export interface TrainingFlags extends SpaceFlags, TaskFlags {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly threads: number;
  readonly preset: 'paper' | 'small';
  readonly set: Record<string, Json>;
}

export function addTrainingFlags(command: Command): Command {
  return addTaskFlags(addSpaceFlags(command))
    .option('--epochs <n>', 'passes over the training data', wholeNumber(1))
    .option('--batch-size <n>', 'images a step, or texts side by side', wholeNumber(1))
    .option('--threads <n>', 'of the training', wholeNumber(1), availableParallelism())
    .option('--preset <paper|small>', 'the settings of the paper, or ones for a laptop', 'paper')
    .option('--set <key=value>', 'an option of the space or of the training; repeatable', collectSetting, {});
}

/**
 * The options of a training of the networks of a space, and those of the space itself that are not as it has them.
 *
 * @throws InputError for a flag that is none of the space or of the training
 */
export function trainingOf(
  space: Space,
  flags: TrainingFlags,
): { spaceOptions: Record<string, Json>; training: Record<string, Json> } {
  const { set, preset, epochs, batchSize } = flags;
  const { definition, options } = space;
  if (preset !== 'paper' && preset !== 'small')
    throw new InputError(`--preset '${preset}': allowed: paper, small`);
  const shares = shareOut(set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    { word: 'training', owner: 'the training', schema: trainingOptions(definition) },
  ]);
  const chosen = { ...shares.space, ...spaceOptionsOf(flags, definition) };
  const of = Space.configure(definition, { ...options, ...chosen });
  const training = {
    ...(preset === 'paper' ? paperTraining(of) : smallTraining(of)),
    ...shares.training,
    ...(epochs === undefined ? {} : { epochs }),
    ...(batchSize === undefined ? {} : { batchSize }),
  } as Record<string, Json>;
  const { auxiliaryWeight = 0 } = training;
  return { spaceOptions: { ...chosen, ...auxiliaryOptions(of, Number(auxiliaryWeight)) }, training };
}
