import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { type ExperimentRequest, headerOf, prepareExperiment } from '../experiments/experiment.js';
import { findSpace } from '../experiments/find-space.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { RunFolder } from '../runs/run-folder.js';
import { strategyNamed } from '../strategies/strategy-names.js';
import { trainingSettings } from '../training/training-settings.js';
import { collectSetting, positiveNumber, shareOut, wholeNumber } from './options.js';
import { describeRun, runToEnd } from './run-search.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { openTerminal } from './terminal.js';

interface SearchFlags extends SpaceFlags {
  readonly space: string;
  readonly strategy: string;
  readonly data: string;
  readonly seed: number;
  readonly out?: string;
  readonly trials: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly workers: number;
  readonly threads: number;
  readonly limit?: number;
  readonly validation?: number;
  readonly timeout?: number;
  readonly preset: 'paper' | 'small';
  readonly set: Record<string, Json>;
  readonly json: boolean;
}

export function addSearch(program: Command): void {
  addSpaceFlags(program.command('search'))
    .description('search an architecture')
    .requiredOption('--space <name|file>', 'zoph-cnn, or the path of a TypeScript or JavaScript file')
    .requiredOption('--strategy <name>', 'random, reinforce')
    .requiredOption('--data <kind:path>', 'mnist, cifar10:DIR')
    .option('--seed <n>', 'of everything random', wholeNumber(0), 1)
    .option('--out <folder>', 'run folder (default: runs/SPACE-STRATEGY-DATA-seedN)')
    .option('--trials <n>', 'children to train', wholeNumber(1), 100)
    .option('--epochs <n>', 'of a child', wholeNumber(1))
    .option('--batch-size <n>', 'images a step', wholeNumber(1))
    .option('--workers <n>', 'children at once', wholeNumber(1), availableParallelism())
    .option('--threads <n>', 'of each worker', wholeNumber(1), 1)
    .option('--limit <n>', 'only the first N training images', wholeNumber(2))
    .option('--validation <n>', 'training images held out (default: a tenth)', wholeNumber(1))
    .option('--timeout <seconds>', 'a child that takes longer has failed', positiveNumber)
    .option('--preset <paper|small>', 'the settings of the paper, or ones for a laptop', 'paper')
    .option(
      '--set <key=value>',
      'an option of the space, the strategy or the training; repeatable',
      collectSetting,
      {},
    )
    .option('--json', 'the result as one JSON value on stdout', false)
    .action(search);
}

async function search(flags: SearchFlags): Promise<void> {
  const terminal = openTerminal(flags.json);
  const request = await requestOf(flags);
  const out = flags.out ?? freeFolder(flags);
  const experiment = await prepareExperiment(request, process.cwd());
  let folder: RunFolder;
  try {
    folder = RunFolder.create(out, headerOf(experiment.settings));
  } catch (error) {
    await experiment.pool.close();
    throw error;
  }
  const summary = await runToEnd(experiment, folder, terminal);
  terminal.result(describeRun(summary));
  terminal.json(summary);
}

/** A run never writes over another: the default folder gets a number where it is taken. */
function freeFolder({ space, strategy, data, seed }: SearchFlags): string {
  const name = (text: string) => text.replace(/^.*[/\\]/, '').replace(/\.\w+$/, '');
  const base = `runs/${name(space)}-${strategy}-${data.split(':')[0]}-seed${seed}`;
  let folder = base;
  for (let number = 2; existsSync(folder); number++) folder = `${base}-${number}`;
  return folder;
}

async function requestOf(flags: SearchFlags): Promise<ExperimentRequest> {
  const { definition } = await findSpace(flags.space, process.cwd());
  const strategy = strategyNamed(flags.strategy);
  if (flags.preset !== 'paper' && flags.preset !== 'small')
    throw new InputError(`--preset '${flags.preset}': allowed: paper, small`);
  const small = flags.preset === 'small';
  const shares = shareOut(flags.set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    { word: 'strategy', owner: `strategy ${strategy.name}`, schema: strategy.options },
    { word: 'training', owner: 'the training', schema: trainingSettings },
  ]);
  const given = <T>(name: string, value: T | undefined) => (value === undefined ? {} : { [name]: value });
  const training = trainingSettings.strict().safeParse({
    ...(small ? { epochs: 2, batchSize: 64, schedule: 'cosine' } : {}),
    ...shares.training,
    ...given('epochs', flags.epochs),
    ...given('batchSize', flags.batchSize),
  });
  if (!training.success) {
    const [issue] = training.error.issues;
    throw new InputError(`--set training.${issue?.path.join('.')}: ${issue?.message}`);
  }
  return {
    space: flags.space,
    spaceOptions: {
      ...(small ? (definition.small as Record<string, Json> | undefined) : {}),
      ...shares.space,
      ...spaceOptionsOf(flags, definition),
    },
    strategy: flags.strategy,
    strategyOptions: {
      ...(small ? (strategy.small as Record<string, Json> | undefined) : {}),
      ...shares.strategy,
    },
    task: {
      data: flags.data,
      seed: flags.seed,
      ...given('limit', flags.limit),
      ...given('validation', flags.validation),
    },
    training: training.data,
    seed: flags.seed,
    trials: flags.trials,
    workers: flags.workers,
    threads: flags.threads,
    ...given('timeoutSeconds', flags.timeout),
  };
}
