import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { dataForms } from '../data/open-data.js';
import { type ExperimentRequest, headerOf, prepareExperiment } from '../experiments/experiment.js';
import { findSpace } from '../experiments/find-space.js';
import { trainingOptions } from '../experiments/opened-training.js';
import { beginSupernetRun, type SupernetRunRequest } from '../experiments/supernet-run.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { RunFolder } from '../runs/run-folder.js';
import { resolveOptions } from '../space/options.js';
import { spaces } from '../spaces/space-names.js';
import type { AnyStrategyDefinition } from '../strategies/strategy.js';
import { strategies, strategyNamed } from '../strategies/strategy-names.js';
import { childTraining, smallChildTraining } from '../training/paper-settings.js';
import { weightSharing, weightSharingNamed } from '../weight-sharing/weight-sharing-names.js';
import { freeFolder } from './free-folder.js';
import { collectSetting, positiveNumber, shareOut, wholeNumber } from './options.js';
import { refuseFlags } from './refuse-flags.js';
import { describeRun, runToEnd } from './run-search.js';
import { describeSupernet, runSupernet } from './run-supernet.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { addTaskFlags, type TaskFlags, taskOf } from './task-flags.js';
import { openTerminal, type Terminal } from './terminal.js';

interface SearchFlags extends SpaceFlags, TaskFlags {
  readonly space: string;
  readonly strategy: string;
  readonly data: string;
  readonly seed: number;
  readonly out?: string;
  readonly trials?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly workers?: number;
  readonly threads?: number;
  readonly validation?: number;
  readonly timeout?: number;
  readonly preset: 'paper' | 'small';
  readonly set: Record<string, Json>;
  readonly json: boolean;
}

/** Children of a search where the user does not say how many. */
const TRIALS = 100;

export function addSearch(program: Command): void {
  addTaskFlags(addSpaceFlags(program.command('search')))
    .description('search an architecture')
    .requiredOption(
      '--space <name|file>',
      `${[...spaces.keys()].join(', ')}, or the path of a TypeScript or JavaScript file`,
    )
    .requiredOption('--strategy <name>', [...strategies.keys(), ...weightSharing.keys()].join(', '))
    .requiredOption('--data <kind:path>', dataForms.join(', '))
    .option('--seed <n>', 'of everything random', wholeNumber(0), 1)
    .option('--out <folder>', 'run folder (default: runs/SPACE-STRATEGY-DATA-seedN)')
    .option(
      '--trials <n>',
      `children to train (default: ${TRIALS}, or what the rungs of the strategy ask for)`,
      wholeNumber(1),
    )
    .option(
      '--epochs <n>',
      'of a child, of one that comes to the last rung, or of the search where weights are shared',
      wholeNumber(1),
    )
    .option('--batch-size <n>', 'images a step, or texts side by side', wholeNumber(1))
    .option('--workers <n>', 'children at once (default: one a processor)', wholeNumber(1))
    .option(
      '--threads <n>',
      'of each worker (default: 1), or of the search where weights are shared (default: one a processor)',
      wholeNumber(1),
    )
    .option(
      '--validation <n>',
      'training images held out (default: a tenth, half of them where weights are shared), or first tokens of the validation text',
      wholeNumber(1),
    )
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
  if (flags.preset !== 'paper' && flags.preset !== 'small')
    throw new InputError(`--preset '${flags.preset}': allowed: paper, small`);
  if (!(strategies.has(flags.strategy) || weightSharing.has(flags.strategy)))
    throw new InputError(
      `strategy '${flags.strategy}' is unknown; known: ${[...strategies.keys(), ...weightSharing.keys()].join(', ')}`,
    );
  if (weightSharing.has(flags.strategy)) return searchSharingWeights(flags, terminal);
  const request = await requestOf(flags);
  const out = folderOf(flags);
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

async function searchSharingWeights(flags: SearchFlags, terminal: Terminal): Promise<void> {
  const out = folderOf(flags);
  await beginSupernetRun(out, await supernetRequestOf(flags));
  const summary = await runSupernet(out, terminal);
  terminal.result(describeSupernet(summary));
  terminal.json(summary);
}

async function supernetRequestOf(flags: SearchFlags): Promise<SupernetRunRequest> {
  const strategy = weightSharingNamed(flags.strategy);
  refuseFlags(
    flags,
    ['trials', 'workers', 'timeout'],
    `strategy ${strategy.name} trains one supernet, and no children`,
  );
  const { definition } = await findSpace(flags.space, process.cwd());
  const schema = strategy.options[definition.reads === 'tokens' ? 'tokens' : 'images'];
  const shares = shareOut(flags.set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    { word: 'strategy', owner: `strategy ${strategy.name}`, schema },
  ]);
  return {
    space: flags.space,
    spaceOptions: { ...smallOf(definition, flags), ...shares.space, ...spaceOptionsOf(flags, definition) },
    strategy: strategy.name,
    strategyOptions: {
      ...smallOf(strategy, flags),
      ...shares.strategy,
      ...given('epochs', flags.epochs),
      ...given('batchSize', flags.batchSize),
    },
    task: taskOf(flags),
    seed: flags.seed,
    threads: flags.threads ?? availableParallelism(),
  };
}

function given<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value };
}

/** What `--preset small` sets of a space or a strategy, where it is given. */
function smallOf({ small }: { readonly small?: object }, { preset }: SearchFlags): Record<string, Json> {
  return preset === 'small' ? { ...small } : {};
}

function folderOf({ out, space, strategy, data, seed }: SearchFlags): string {
  const name = (text: string) => text.replace(/^.*[/\\]/, '').replace(/\.\w+$/, '');
  return out ?? freeFolder(`runs/${name(space)}-${strategy}-${data.split(':')[0]}-seed${seed}`);
}

/** What the flags say to a strategy with rungs: each child is begun once, and the journal has a trial for each rung of it. */
function rungFlags(flags: SearchFlags, { name, options }: AnyStrategyDefinition): Record<string, number> {
  if (!('configurations' in options.shape))
    refuseFlags(flags, ['trials'], `strategy ${name} says itself how many children it trains`);
  return { ...given('maxEpochs', flags.epochs), ...given('configurations', flags.trials) };
}

async function requestOf(flags: SearchFlags): Promise<ExperimentRequest> {
  const { definition } = await findSpace(flags.space, process.cwd());
  const strategy = strategyNamed(flags.strategy);
  const schema = trainingOptions(definition);
  const shares = shareOut(flags.set, [
    { word: 'space', owner: `space ${definition.name}`, schema: definition.options },
    { word: 'strategy', owner: `strategy ${strategy.name}`, schema: strategy.options },
    { word: 'training', owner: 'the training', schema },
  ]);
  const strategyOptions = resolveOptions(`strategy ${strategy.name}`, strategy.options, {
    ...smallOf(strategy, flags),
    ...shares.strategy,
    ...(strategy.plan === undefined ? {} : rungFlags(flags, strategy)),
  });
  const plan = strategy.plan?.(strategyOptions);
  const training = schema.strict().safeParse({
    ...(flags.preset === 'small' ? smallChildTraining(definition) : childTraining(definition)),
    ...given('epochs', plan?.epochs),
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
    spaceOptions: { ...smallOf(definition, flags), ...shares.space, ...spaceOptionsOf(flags, definition) },
    strategy: flags.strategy,
    strategyOptions,
    task: taskOf(flags),
    training: training.data,
    seed: flags.seed,
    trials: plan?.trials ?? flags.trials ?? TRIALS,
    workers: flags.workers ?? availableParallelism(),
    threads: flags.threads ?? 1,
    ...given('timeoutSeconds', flags.timeout),
  };
}
