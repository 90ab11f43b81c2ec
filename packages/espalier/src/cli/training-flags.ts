import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Space } from '../space/space.js';
import type { AnyTaskDefinition } from '../tasks/task-definition.js';
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
    .option('--batch-size <n>', 'inputs of a step: images, rows, or columns of a text', wholeNumber(1))
    .option('--threads <n>', 'threads of the training', wholeNumber(1), availableParallelism())
    .option('--preset <paper|small>', 'the settings of the paper, or settings for a laptop', 'paper')
    .option('--set <key=value>', 'an option of the space or of the training; repeatable', collectSetting, {});
}

/**
 * The options of a training of the networks of a space, and the options of the space that the training changes.
 *
 * @throws InputError for a flag that neither the space nor the training has
 */
export function trainingOf(
  space: Space,
  task: AnyTaskDefinition,
  flags: TrainingFlags,
): { spaceOptions: Record<string, Json>; training: Record<string, Json> } {
  const { set, preset, epochs, batchSize } = flags;
  const { definition, options } = space;
  if (preset !== 'paper' && preset !== 'small')
    throw new InputError(`--preset '${preset}': allowed: paper, small`);
  const shares = shareOut(set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    { word: 'training', owner: 'the training', schema: task.training.options },
  ]);
  const chosen = { ...shares.space, ...spaceOptionsOf(flags, definition) };
  const of = Space.configure(definition, { ...options, ...chosen });
  const training: Record<string, Json> = {
    ...(preset === 'paper' ? task.training.paper(of) : task.training.small),
    ...shares.training,
    ...(epochs === undefined ? {} : { epochs }),
    ...(batchSize === undefined ? {} : { batchSize }),
  };
  return { spaceOptions: { ...chosen, ...task.training.spaceOptions?.(of, training) }, training };
}
