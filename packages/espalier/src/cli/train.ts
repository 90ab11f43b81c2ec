import type { Command } from 'commander';
import { dataForms } from '../data/open-data.js';
import { configured, findArchitecture } from '../experiments/found-architecture.js';
import { beginTraining } from '../experiments/training-run.js';
import { wholeNumber } from './options.js';
import { describeTraining, runTraining } from './run-training.js';
import { taskOf } from './task-flags.js';
import { openTerminal } from './terminal.js';
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
    .requiredOption('--data <kind:path>', dataForms.join(', '))
    .requiredOption('--out <folder>', 'a new folder for the journal, the checkpoint and the weights')
    .option('--seed <n>', 'of everything random', wholeNumber(0), 1)
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, flags: TrainFlags) => {
      const { out, seed, threads, json } = flags;
      const terminal = openTerminal(json);
      const found = await findArchitecture(path);
      const { spaceOptions, training } = trainingOf(found.space, flags);
      beginTraining(out, configured(found, spaceOptions), {
        task: taskOf(flags),
        training,
        seed,
        threads,
      });
      const result = await runTraining(out, terminal);
      terminal.result(describeTraining(result));
      terminal.json(result);
    });
}
