import type { Command } from 'commander';
import type { z } from 'zod';
import { begunArchitecture, type FoundArchitecture } from '../experiments/found-architecture.js';
import type { Axis } from '../experiments/tuning.js';
import { beginTuning } from '../experiments/tuning-run.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { findArchitecture, kindOf } from '../kinds/kinds-of-run.js';
import { Space } from '../space/space.js';
import type { AnyTaskDefinition } from '../tasks/task-definition.js';
import { openTerminal } from '../terminal/terminal.js';
import { addChildFlag, type ChildFlag } from './child-flag.js';
import { dataFor } from './data-of-run.js';
import { addEpochFlag, type EpochFlag, sayWhichGenotype } from './epoch-flag.js';
import { freeFolder } from './free-folder.js';
import { collectSetting, shareOut, wholeNumber } from './options.js';
import { say } from './say.js';
import { dataForms, taskFor, taskSettingsOf } from './task-flags.js';
import { addTrainingFlags, type TrainingFlags, trainingOf } from './training-flags.js';

interface TuneFlags extends TrainingFlags, EpochFlag, ChildFlag {
  readonly data?: string;
  readonly out?: string;
  readonly grid: Record<string, Json>;
  readonly finalEpochs?: number;
  readonly validation?: number;
  readonly seed: number;
  readonly json: boolean;
}

const about = `
Zoph & Le 2016 (section 4.1): after the search, the best architecture is trained at every point of a grid; validation data
decides; the winner is trained from scratch on all training data, and the test data is looked at once, at the end.

Without --grid images have the paper's grid over learning rate, weight decay, epsilon of batch norm (zoph-cnn) and the epoch
at which the learning rate decays, and language models that over learning rate, initial range, dropout and decay epoch. The
papers publish no values; ours are around those of the children. With --grid the grid has the options that you name.`;

export function addTune(program: Command): void {
  addChildFlag(addEpochFlag(addTrainingFlags(program.command('tune'))))
    .description('the grid search after a search: over options of the training, decided by validation data')
    .argument(
      '<run|architecture>',
      'a run folder (its best architecture), an architecture file or a published name',
    )
    .option('--data <kind:path>', `${dataForms} (default: that of the run)`)
    .option('--out <folder>', 'a new folder for the grid search and its trainings (default: runs/tuning)')
    .option(
      '--grid <key=[values]>',
      'values of an option of the space or the training, as JSON: learningRate=[0.1,0.05]; repeatable',
      collectSetting,
      {},
    )
    .option(
      '--final-epochs <n>',
      'epochs of the last training (default: those of the grid); the learning rate decays at the same share of them',
      wholeNumber(1),
    )
    .option(
      '--validation <n>',
      'training inputs held out for the grid (default: a tenth), or first tokens of validation and test text',
      wholeNumber(1),
    )
    .option('--seed <n>', 'seed of everything random', wholeNumber(0), 1)
    .option('--json', 'the result as one JSON value on stdout', false)
    .addHelpText('after', about)
    .action(tune);
}

async function tune(path: string, flags: TuneFlags): Promise<void> {
  const { seed, threads, json } = flags;
  const terminal = openTerminal(json);
  const found = await findArchitecture(path, flags);
  sayWhichGenotype(found, terminal);
  const task = await taskFor(found, flags.task, flags.data);
  const { spaceOptions, training, grid, epochs, imageSize } = planOf(found, task.definition, flags);
  const out = flags.out ?? freeFolder('runs/tuning');
  await beginTuning(out, {
    architecture: begunArchitecture(found),
    spaceOptions,
    training,
    grid,
    epochs,
    finalEpochs: flags.finalEpochs ?? epochs,
    task: taskSettingsOf(task, { ...flags, ...dataFor(path, found, flags, imageSize) }),
    seed,
    threads,
  });
  say(await kindOf(out).goOn(out, terminal), terminal);
}

/** What is trained, and the grid: that of the flags, or that of the task's paper. */
function planOf(found: FoundArchitecture, task: AnyTaskDefinition, flags: TuneFlags) {
  const { space } = found;
  // A preset of a level is a training of its own; the grid is around the paper's.
  const { preset: named = 'paper' } = flags;
  const { spaceOptions, training: preset, imageSize } = trainingOf(found, task, { ...flags, preset: named });
  const own = Space.configure(space.definition, { ...space.options, ...spaceOptions });
  const { epochs: usual } = task.training.options.shape;
  const epochs = Number(preset.epochs ?? (usual as z.ZodType).parse(undefined));
  const paper = task.training.tuning?.(own, epochs);
  const isSet = (name: string) =>
    name in flags.set ||
    `training.${name}` in flags.set ||
    (name === 'batchSize' && flags.batchSize !== undefined);
  const ofPaper = Object.entries(paper?.training ?? {}).filter(([name]) => !isSet(name));
  const { epochs: _, ...training } = { ...preset, ...Object.fromEntries(ofPaper) };
  const given = Object.keys(flags.grid).length > 0;
  if (!given && paper === undefined)
    throw new InputError(`--grid is missing: task ${task.name} has no grid of its own`);
  return {
    spaceOptions,
    training,
    epochs,
    imageSize,
    grid: gridOf(given ? flags.grid : (paper?.grid ?? {}), space, task),
  };
}

/** @throws InputError for an option that does not exist, or that has no list of values */
function gridOf(values: Readonly<Record<string, unknown>>, space: Space, task: AnyTaskDefinition): Axis[] {
  for (const [key, its] of Object.entries(values))
    if (!Array.isArray(its) || its.length === 0)
      throw new InputError(
        `--grid ${key}=${JSON.stringify(its)}: allowed: a list of values, ${key}=[0.1,0.05]`,
      );
  const shares = shareOut(
    values as Record<string, Json>,
    [
      { word: 'space', owner: `space ${space.name}`, schema: space.definition.options },
      { word: 'training', owner: 'the training', schema: task.training.options },
    ],
    '--grid',
  );
  if ('epochs' in shares.training)
    throw new InputError('--grid epochs: all trainings of a grid have the same; say it with --epochs');
  return (['training', 'space'] as const).flatMap((owner) =>
    Object.entries(shares[owner]).map(([option, its]) => ({ owner, option, values: [...(its as Json[])] })),
  );
}
