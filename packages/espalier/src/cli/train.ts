import type { Command } from 'commander';
import { configured } from '../experiments/found-architecture.js';
import { beginTraining } from '../experiments/training-run.js';
import { findArchitecture } from '../kinds/kinds-of-run.js';
import { training as trainingKind } from '../kinds/training.js';
import { openTerminal } from '../terminal/terminal.js';
import { wholeNumber } from './options.js';
import { say } from './say.js';
import { dataForms, taskFor, taskSettingsOf } from './task-flags.js';
import { addTrainingFlags, type TrainingFlags, trainingOf } from './training-flags.js';

interface TrainFlags extends TrainingFlags {
  readonly data: string;
  readonly out: string;
  readonly seed: number;
  readonly json: boolean;
}

export function addTrain(program: Command): void {
  addTrainingFlags(program.command('train'))
    .description('train an architecture to the end and test it')
    .argument(
      '<run|architecture>',
      'a run folder (its best architecture), an architecture file or a published name',
    )
    .requiredOption('--data <kind:path>', dataForms)
    .requiredOption('--out <folder>', 'a new folder for the journal, the checkpoint and the weights')
    .option('--seed <n>', 'seed of everything random', wholeNumber(0), 1)
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, flags: TrainFlags) => {
      const { out, seed, threads, json } = flags;
      const terminal = openTerminal(json);
      const found = await findArchitecture(path);
      const task = await taskFor(found, flags.task);
      const { spaceOptions, training } = trainingOf(found.space, task.definition, flags);
      await beginTraining(out, configured(found, spaceOptions), {
        task: taskSettingsOf(task, flags),
        training,
        seed,
        threads,
      });
      say(await trainingKind.goOn(out, terminal), terminal);
    });
}
