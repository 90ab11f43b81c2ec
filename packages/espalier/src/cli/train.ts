import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { dataForms } from '../data/open-data.js';
import { type FoundArchitecture, findArchitecture } from '../experiments/found-architecture.js';
import { beginTraining, trainingOptions } from '../experiments/training-run.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Space } from '../space/space.js';
import { auxiliaryOptions, paperTraining, smallTraining } from '../training/paper-settings.js';
import { collectSetting, shareOut, wholeNumber } from './options.js';
import { describeTraining, runTraining } from './run-training.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { openTerminal } from './terminal.js';

interface TrainFlags extends SpaceFlags {
  readonly data: string;
  readonly out: string;
  readonly seed: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly threads: number;
  readonly limit?: number;
  readonly preset: 'paper' | 'small';
  readonly set: Record<string, Json>;
  readonly json: boolean;
}

export function addTrain(program: Command): void {
  addSpaceFlags(program.command('train'))
    .description('train an architecture to the end and test it')
    .argument(
      '<run|architecture>',
      'a run folder (its best architecture), an architecture file or a published name',
    )
    .requiredOption('--data <kind:path>', dataForms.join(', '))
    .requiredOption('--out <folder>', 'a new folder for the journal, the checkpoint and the weights')
    .option('--seed <n>', 'of everything random', wholeNumber(0), 1)
    .option('--epochs <n>', 'passes over the training data', wholeNumber(1))
    .option('--batch-size <n>', 'images a step, or texts side by side', wholeNumber(1))
    .option('--threads <n>', 'of the training', wholeNumber(1), availableParallelism())
    .option('--limit <n>', 'only the first N training images or tokens', wholeNumber(2))
    .option('--preset <paper|small>', 'the settings of the paper, or ones for a laptop', 'paper')
    .option('--set <key=value>', 'an option of the space or of the training; repeatable', collectSetting, {})
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(async (path: string, flags: TrainFlags) => {
      const { data, out, seed, threads, limit, json } = flags;
      const terminal = openTerminal(json);
      const { found, training } = settingsOf(await findArchitecture(path), flags);
      beginTraining(out, found, {
        task: { data, seed, ...(limit === undefined ? {} : { limit }) },
        training,
        seed,
        threads,
      });
      const result = await runTraining(out, terminal);
      terminal.result(describeTraining(result));
      terminal.json(result);
    });
}

/** The architecture in the network that the flags say, and the options of its training. */
function settingsOf(
  found: FoundArchitecture,
  flags: TrainFlags,
): { found: FoundArchitecture; training: Record<string, Json> } {
  const { set, preset, epochs, batchSize } = flags;
  if (preset !== 'paper' && preset !== 'small')
    throw new InputError(`--preset '${preset}': allowed: paper, small`);
  const { definition, options } = found.space;
  const shares = shareOut(set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    { word: 'training', owner: 'the training', schema: trainingOptions(found.space) },
  ]);
  const chosen = { ...options, ...shares.space, ...spaceOptionsOf(flags, definition) };
  const of = Space.configure(definition, chosen);
  const training = {
    ...(preset === 'paper' ? paperTraining(of) : smallTraining(of)),
    ...shares.training,
    ...(epochs === undefined ? {} : { epochs }),
    ...(batchSize === undefined ? {} : { batchSize }),
  } as Record<string, Json>;
  const { auxiliaryWeight = 0 } = training;
  const space = Space.configure(definition, { ...chosen, ...auxiliaryOptions(of, Number(auxiliaryWeight)) });
  return { found: { ...found, space, architecture: space.validate(found.architecture) }, training };
}
