import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { findArchitecture } from '../experiments/found-architecture.js';
import { beginTraining } from '../experiments/training-run.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { trainingSettings } from '../training/training-settings.js';
import { collectSetting, shareOut, wholeNumber } from './options.js';
import { describeTraining, runTraining } from './run-training.js';
import { openTerminal } from './terminal.js';

interface TrainFlags {
  readonly data: string;
  readonly out: string;
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly threads: number;
  readonly limit?: number;
  readonly set: Record<string, Json>;
  readonly json: boolean;
}

export function addTrain(program: Command): void {
  program
    .command('train')
    .description('train an architecture to the end and test it')
    .argument('<run|architecture>', 'a run folder (its best architecture) or an architecture file')
    .requiredOption('--data <kind:path>', 'mnist, cifar10:DIR')
    .requiredOption('--out <folder>', 'a new folder for the journal, the checkpoint and the weights')
    .option('--seed <n>', 'of everything random', wholeNumber(0), 1)
    .option('--epochs <n>', 'passes over the training images', wholeNumber(1), 50)
    .option('--batch-size <n>', 'images a step', wholeNumber(1), 128)
    .option('--threads <n>', 'of the training', wholeNumber(1), availableParallelism())
    .option('--limit <n>', 'only the first N training images', wholeNumber(2))
    .option('--set <key=value>', 'an option of the training; repeatable', collectSetting, {})
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, flags: TrainFlags) => {
      const { data, out, seed, epochs, batchSize, threads, limit, set, json } = flags;
      const terminal = openTerminal(json);
      const shares = shareOut(set, [{ word: 'training', owner: 'the training', schema: trainingSettings }]);
      const training = trainingSettings.safeParse({
        schedule: 'cosine',
        ...shares.training,
        epochs,
        batchSize,
      });
      if (!training.success) {
        const [issue] = training.error.issues;
        throw new InputError(`--set ${issue?.path.join('.')}: ${issue?.message}`);
      }
      beginTraining(out, await findArchitecture(path), {
        task: { data, seed, ...(limit === undefined ? {} : { limit }) },
        training: training.data,
        seed,
        threads,
      });
      const result = await runTraining(out, terminal);
      terminal.result(describeTraining(result));
      terminal.json(result);
    });
}
