import { availableParallelism } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import type { FoundArchitecture, RunTraining } from '../experiments/found-architecture.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Space } from '../space/space.js';
import type { AnyTaskDefinition, TrainingPreset } from '../tasks/task-definition.js';
import { collectSetting, shareOut, threadCount, wholeNumber, withFlags } from './options.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { addTaskFlags, type TaskFlags } from './task-flags.js';

/** How an architecture that was found is trained from scratch. */
export interface TrainingFlags extends SpaceFlags, TaskFlags {
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly threads: number;
  readonly preset?: string;
  readonly data?: string;
  readonly set: Record<string, Json>;
}

export function addTrainingFlags(command: Command): Command {
  return addTaskFlags(addSpaceFlags(command))
    .option('--epochs <n>', 'passes over the training data', wholeNumber(1))
    .option('--batch-size <n>', 'inputs of a step: images, rows, or columns of a text', wholeNumber(1))
    .option('--threads <n>', 'threads of the training', threadCount, availableParallelism())
    .option(
      '--preset <name>',
      'paper: the settings of the paper (default); small: for a laptop; of nasnet imagenet-mobile, imagenet-large; of texts ' +
        'character (default with --level character)',
    )
    .option('--set <key=value>', 'an option of the space or of the training; repeatable', collectSetting, {});
}

/**
 * The options of a training of an architecture's network, and the options of the space that the training changes. What
 * neither the flags nor the paper's evaluation say is as in the search that has found it.
 *
 * @throws InputError for a flag that neither the space nor the training has
 */
export function trainingOf(
  { space, task: begun, training: searched }: Pick<FoundArchitecture, 'space' | 'task' | 'training'>,
  task: AnyTaskDefinition,
  flags: TrainingFlags,
): PlannedTraining {
  const { set, epochs, batchSize } = flags;
  const { definition, options } = space;
  const shares = shareOut(set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    { word: 'training', owner: 'the training', schema: task.training.options },
  ]);
  const chosen = withFlags(shares.space, spaceOptionsOf(flags, definition));
  const presets: Presets = {
    paper: (of) => ({
      training: task.training.paper(of, flags.data ?? begun?.data),
      space: task.training.paperSpaceOptions?.(of) ?? {},
    }),
    small: () => ({ training: task.training.small }),
    ...named(task.training.presets?.(space, chosen) ?? {}),
  };
  const level = flags.level ?? begun?.level;
  const { preset = level !== undefined && Object.hasOwn(presets, level) ? level : 'paper' } = flags;
  const presetOf = Object.hasOwn(presets, preset) ? presets[preset] : undefined;
  if (presetOf === undefined)
    throw new InputError(`--preset '${preset}': allowed: ${Object.keys(presets).join(', ')}`);
  const published = presetOf(Space.configure(definition, { ...options, ...chosen }));
  const of = Space.configure(definition, { ...options, ...published.space, ...chosen });
  const training: Record<string, Json> = {
    ...inherited(task, searched),
    ...published.training,
    ...withFlags(shares.training, {
      ...(epochs === undefined ? {} : { epochs }),
      ...(batchSize === undefined ? {} : { batchSize }),
    }),
  };
  const spaceOptions = { ...published.space, ...chosen, ...task.training.spaceOptions?.(of, training) };
  return { spaceOptions, training, imageSize: published.imageSize ?? task.training.paperImageSize?.(of) };
}

/** The presets by name, each of the space as the flags configure it. */
type Presets = Readonly<Record<string, (of: Space) => TrainingPreset>>;

const named = (presets: Readonly<Record<string, TrainingPreset>>): Presets =>
  Object.fromEntries(Object.entries(presets).map(([name, preset]) => [name, () => preset]));

interface PlannedTraining {
  readonly spaceOptions: Record<string, Json>;
  readonly training: Record<string, Json>;
  /** In which the paper evaluates, if it says so. */
  readonly imageSize: number | undefined;
}

/** What a run's training has for itself: how long it is, and where it works. */
const OWN: readonly string[] = ['epochs', 'device'];

/** The options of a search that a training of what it has found takes over. */
function inherited(
  { training: { options, augmentation = [] } }: AnyTaskDefinition,
  searched: RunTraining | undefined,
): Record<string, Json> {
  if (searched === undefined) return {};
  const names = searched.sharesWeights ? augmentation : Object.keys(options.shape);
  return Object.fromEntries(
    Object.entries(searched.options).filter(([name]) => names.includes(name) && !OWN.includes(name)),
  );
}

/** How a training differs from the search before it, `epochs 600 (1)`: the value of the search in brackets. */
export function differencesFrom(
  searched: Readonly<Record<string, Json | undefined>>,
  now: Readonly<Record<string, Json | undefined>>,
): string[] {
  const text = (value: Json | undefined) =>
    typeof value === 'string' ? value : (JSON.stringify(value) ?? 'all');
  return Object.keys(now)
    .filter((name) => name in searched && !isDeepStrictEqual(searched[name], now[name]))
    .map((name) => `${name} ${text(now[name])} (${text(searched[name])})`);
}
