import { existsSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { configured, type FoundArchitecture } from '../experiments/found-architecture.js';
import type { GivenWeights } from '../experiments/starting-weights.js';
import { beginTraining, readTraining } from '../experiments/training-run.js';
import { InputError } from '../input-error.js';
import { findArchitecture, findNetwork } from '../kinds/kinds-of-run.js';
import { training as trainingKind } from '../kinds/training.js';
import { openTerminal } from '../terminal/terminal.js';
import { addChildFlag, type ChildFlag } from './child-flag.js';
import { dataFor } from './data-of-run.js';
import { addEpochFlag, type EpochFlag, sayWhichGenotype } from './epoch-flag.js';
import { wholeNumber } from './options.js';
import { refuseFlags } from './refuse-flags.js';
import { say } from './say.js';
import { dataForms, taskFor, taskSettingsOf } from './task-flags.js';
import { addTrainingFlags, differencesFrom, type TrainingFlags, trainingOf } from './training-flags.js';

interface TrainFlags extends TrainingFlags, EpochFlag, ChildFlag {
  readonly weights?: string;
  readonly newClassifier: boolean;
  readonly validation?: number;
  readonly data?: string;
  readonly out: string;
  readonly seed: number;
  readonly json: boolean;
}

export function addTrain(program: Command): void {
  addChildFlag(addEpochFlag(addTrainingFlags(program.command('train'))))
    .description('train an architecture to the end and test it')
    .argument(
      '<run|architecture>',
      'a run folder (its best architecture), an architecture file or a published name',
    )
    .option('--data <kind:path>', `${dataForms} (default: that of the run)`)
    .requiredOption('--out <folder>', 'a new folder for the journal, the checkpoint and the weights')
    .option(
      '--weights <file|run>',
      'weights to begin with: safetensors, or the folder of a finished training (default: initialised by the seed)',
    )
    .option(
      '--new-classifier',
      'with --weights: begin the layers anew that depend on the number of classes',
      false,
    )
    .option(
      '--validation <n>',
      'with --set keepBest=true: training inputs held out to choose the best epoch (default: a tenth); of a text the first ' +
        'tokens of validation and test text',
      wholeNumber(1),
    )
    .option('--seed <n>', 'seed of everything random', wholeNumber(0), 1)
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, flags: TrainFlags) => {
      const { out, seed, threads, json } = flags;
      const terminal = openTerminal(json);
      const found = await findArchitecture(path, flags);
      sayWhichGenotype(found, terminal);
      const task = await taskFor(found, flags.task, flags.data);
      const start = await startOf(flags);
      const { spaceOptions, training, imageSize } = trainingOf(found, task.definition, flags);
      await beginTraining(out, configured(found, spaceOptions), {
        task: taskSettingsOf(task, { ...flags, ...dataFor(path, found, flags, imageSize) }),
        training,
        ...(start === undefined ? {} : { start }),
        seed,
        threads,
      });
      const differences = differencesOf(found, out);
      if (differences.length > 0)
        terminal.line(`note: otherwise than in ${path} (its value in brackets): ${differences.join(', ')}`);
      say(await trainingKind.goOn(out, terminal), terminal);
    });
}

/** The weights that the flags name. @throws InputError for a folder without weights */
async function startOf({ weights, newClassifier }: TrainFlags): Promise<GivenWeights | undefined> {
  if (weights === undefined) {
    refuseFlags({ newClassifier }, ['newClassifier'], 'without --weights all layers begin anew');
    return undefined;
  }
  const isFolder = existsSync(weights) && statSync(weights).isDirectory();
  const file = isFolder ? (await findNetwork(weights)).weights : weights;
  if (file === undefined)
    throw new InputError(`--weights ${weights}: this run has no weights; allowed: a training`);
  return { from: weights, file, newClassifier };
}

/** How a begun training differs from the run that its architecture comes from. */
function differencesOf({ task, training: searched }: FoundArchitecture, out: string): string[] {
  if (task === undefined || searched === undefined) return [];
  const { settings } = readTraining(out);
  const { limit, imageSize, level = 'word' } = settings.task;
  return [
    ...(settings.dataChecksum === searched.dataChecksum ? [] : [`other data, ${settings.task.data}`]),
    ...differencesFrom(
      { limit: task.limit, imageSize: task.imageSize, level: task.level ?? 'word' },
      { limit, imageSize, level },
    ),
    ...differencesFrom(searched.options, settings.training),
  ];
}
