import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { LEVELS, type TextLevel } from '../data/text-level.js';
import type { FoundArchitecture } from '../experiments/found-architecture.js';
import type { FoundPart } from '../modules/find-part.js';
import { findTask } from '../tasks/find-task.js';
import type { AnyTaskDefinition } from '../tasks/task-definition.js';
import { tasks, usualTask } from '../tasks/task-names.js';
import { type TaskSettings, taskFrom } from '../tasks/task-settings.js';
import { wholeNumber } from './options.js';
import { refuseFlags } from './refuse-flags.js';

/** Which task, how much of its data, in which size images are seen, and what the tokens of a text are. */
export interface TaskFlags {
  readonly task?: string;
  readonly limit?: number | undefined;
  readonly imageSize?: number | undefined;
  readonly level?: TextLevel | undefined;
}

/** How all kinds of data are written. */
export const dataForms = [...new Set([...tasks.values()].flatMap((task) => task.dataForms))].join(', ');

export function addTaskFlag(command: Command): Command {
  return command.option(
    '--task <name|file>',
    `${[...tasks.keys()].join(', ')}, or the path of a file (default: the task that the space is for)`,
  );
}

export function addTaskFlags(command: Command): Command {
  return addTaskFlag(command)
    .option(
      '--limit <n>',
      'only the first N training inputs: images, tokens, rows (default: all)',
      wholeNumber(2),
    )
    .option(
      '--image-size <n>',
      'height and width of the images, where the data has them in any size (default: 224); of the crops of a segmenter',
      wholeNumber(1),
    )
    .option(
      '--level <word|character>',
      'what the tokens of a text are (default: words); models of characters are judged by bits per character',
      textLevel,
    );
}

function textLevel(text: string): TextLevel {
  const level = LEVELS.find((one) => one === text);
  if (level === undefined) throw new InvalidArgumentError(`Allowed: ${LEVELS.join(', ')}.`);
  return level;
}

/**
 * The task of the flag, of the run that an architecture comes from, or the usual one of its space for such data. Its name is
 * what the settings of a run begun here call it: a path is one from the working folder, as that of the data.
 */
export async function taskFor(
  { space, task }: Pick<FoundArchitecture, 'space' | 'task'>,
  flag: string | undefined,
  data?: string,
): Promise<FoundPart<AnyTaskDefinition>> {
  if (flag !== undefined) return { ...(await findTask(flag, process.cwd())), name: flag };
  if (task !== undefined)
    return { ...(await findTask(task.name, process.cwd())), name: taskFrom(process.cwd(), task).name };
  const definition = usualTask(space.definition, data);
  return { definition, name: definition.name };
}

/**
 * What the flags say of the data; what they leave open is missing.
 *
 * @throws InputError for the size of images, and the level of a text, where the task has none
 */
export function taskSettingsOf(
  { name, definition }: Pick<FoundPart<AnyTaskDefinition>, 'name' | 'definition'>,
  {
    data,
    seed,
    limit,
    validation,
    imageSize,
    level,
  }: TaskFlags & { readonly data: string; readonly seed: number; readonly validation?: number },
): TaskSettings {
  const { networks, dataFlags = [] } = definition;
  if (!('imageSize' in networks.flags))
    refuseFlags(
      { imageSize },
      ['imageSize'],
      `the networks of task ${definition.name} read ${networks.reads}`,
    );
  if (!dataFlags.includes('level'))
    refuseFlags({ level }, ['level'], `task ${definition.name} reads no text as words or characters`);
  return {
    name,
    data,
    seed,
    ...(limit === undefined ? {} : { limit }),
    ...(validation === undefined ? {} : { validation }),
    ...(imageSize === undefined ? {} : { imageSize }),
    ...(level === undefined ? {} : { level }),
  };
}
