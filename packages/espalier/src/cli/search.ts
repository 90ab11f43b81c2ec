import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { estimators } from '../estimators/estimator-names.js';
import { findEstimator } from '../estimators/find-estimator.js';
import { table } from '../estimators/table.js';
import { training as trainingEstimator } from '../estimators/training.js';
import type { ExperimentRequest } from '../experiments/experiment.js';
import { allStrategies, findStrategy, sharesWeights } from '../experiments/find-strategy.js';
import { beginSupernetRun } from '../experiments/supernet-run.js';
import type { SupernetRunRequest } from '../experiments/supernet-run-settings.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { WentOn } from '../kinds/kind-of-run.js';
import { searchIn } from '../kinds/search.js';
import { weightSharingSearch } from '../kinds/weight-sharing.js';
import type { QueuePoolSettings } from '../queue/queue-pool.js';
import { REDIS_FORM, redisAddress } from '../queue/redis-address.js';
import { resolveOptions } from '../space/options.js';
import { type AnySpaceDefinition, Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { spaces } from '../spaces/space-names.js';
import type { AnyStrategyDefinition } from '../strategies/strategy.js';
import { tableOptions } from '../tables/table-options.js';
import type { TaskTraining } from '../tasks/task-definition.js';
import { openTerminal, type Terminal } from '../terminal/terminal.js';
import type { AnyWeightSharingDefinition } from '../weight-sharing/definition.js';
import { enqueued } from './enqueued.js';
import { freeFolder } from './free-folder.js';
import { collectSetting, positiveNumber, shareOut, threadCount, wholeNumber, withFlags } from './options.js';
import { refuseFlags } from './refuse-flags.js';
import { say } from './say.js';
import { addSpaceFlags, type SpaceFlags, spaceOptionsOf } from './space-flags.js';
import { addTaskFlags, dataForms, type TaskFlags, taskFor, taskSettingsOf } from './task-flags.js';

interface SearchFlags extends SpaceFlags, TaskFlags {
  readonly space: string;
  readonly strategy: string;
  readonly estimator?: string;
  readonly data?: string;
  readonly seed: number;
  readonly out?: string;
  readonly trials?: number;
  readonly time?: number;
  readonly cost?: number;
  readonly deterministic?: true;
  readonly distinct?: true;
  readonly enqueue?: readonly string[];
  readonly table?: string;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly workers?: number;
  readonly threads?: number;
  readonly device?: readonly string[];
  readonly processes?: number;
  readonly validation?: number;
  readonly timeout?: number;
  readonly redis?: string;
  readonly priority?: number;
  readonly remoteReplicas?: true;
  readonly preset?: 'paper' | 'small';
  readonly set: Record<string, Json>;
  readonly json: boolean;
}

/** Trials of a search where the user sets no budget. */
const TRIALS = 100;

const budgets = `
A search ends when one of its budgets is spent: --trials, --time, or --cost in the unit of the estimator (epochs, where
children are trained). Trials that are running then are finished. Without any of the three it has ${TRIALS} trials.

Results are told to the strategy in virtual time, as if all epochs took equally long, so that the same command writes the
same journal. Strategies with use for every single result (random, exhaustive, evolution, local-search, bananas, asha; reinforce
and ppo with several replicas) are told each as it arrives, so that no worker waits for another; their journals record that
order, and \`espalier reproduce\` repeats it. --deterministic keeps virtual time for them too.`;

export function addSearch(program: Command): void {
  addTaskFlags(addSpaceFlags(program.command('search')))
    .description('search for an architecture')
    .requiredOption(
      '--space <name|file>',
      `${[...spaces.keys()].join(', ')}, or the path of a TypeScript or JavaScript file`,
    )
    .requiredOption(
      '--strategy <name|file>',
      `${[...allStrategies.keys()].join(', ')}, or the path of a file`,
    )
    .option(
      '--estimator <name|file>',
      `how architectures are measured: ${[...estimators.keys()].join(', ')}, or the path of a file (default: ${trainingEstimator.name})`,
    )
    .option(
      '--table <file>',
      'look trials up in a table of measured architectures; where weights are shared, journal what the cells of each epoch are worth',
    )
    .option('--data <kind:path>', `data that children are trained on: ${dataForms}`)
    .option('--seed <n>', 'seed of everything random', wholeNumber(0), 1)
    .option('--out <folder>', 'run folder (default: runs/SPACE-STRATEGY-DATA-seedN)')
    .option(
      '--trials <n>',
      `budget: trials (default: ${TRIALS}, or what the rungs of the strategy ask for)`,
      wholeNumber(1),
    )
    .option('--time <seconds>', 'budget: no trial begins after this time', positiveNumber)
    .option('--cost <amount>', 'budget: no trial begins once the results have cost this much', positiveNumber)
    .option('--deterministic', 'tell results in virtual time, so that nothing depends on the clock')
    .option('--distinct', 'train nothing twice: what is proposed again gets the result that is known')
    .option(
      '--enqueue <file|run>',
      'try these architectures first: those of a file, or what a run has found; repeatable',
      (path: string, before: readonly string[] = []) => [...before, path],
    )
    .option(
      '--epochs <n>',
      'epochs of a child, of a child that reaches the last rung, or of the search where weights are shared',
      wholeNumber(1),
    )
    .option('--batch-size <n>', 'inputs of a step: images, rows, or columns of a text', wholeNumber(1))
    .option('--workers <n>', 'trials at once (default: one for each processor)', wholeNumber(1))
    .option(
      '--threads <n>',
      'threads of each worker (default: 1), or of the search where weights are shared (default: one for each processor)',
      threadCount,
    )
    .option(
      '--processes <n>',
      'with shared weights: so many processes of this machine train the supernet, each a part of every batch',
      wholeNumber(2),
    )
    .option(
      '--device <list>',
      'devices of the workers, one after the other and over again: cpu, or cuda:0,cuda:1 (default: cpu)',
      (text: string) => text.split(','),
    )
    .option(
      '--validation <n>',
      'training inputs held out (default: a tenth, or half of them where weights are shared), or the first N tokens of ' +
        'the validation text',
      wholeNumber(1),
    )
    .option(
      '--timeout <seconds>',
      'a child that takes longer has failed (default: 20 times the median of the others, at least a minute)',
      positiveNumber,
    )
    .option(
      '--redis <url>',
      `train the children by the workers of a Redis (espalier worker), --workers at a time on all machines together: ${REDIS_FORM}`,
    )
    .option(
      '--priority <n>',
      'with --redis: workers take children of searches with a higher one first (default: 0)',
      wholeNumber(-1000, 1000),
    )
    .option(
      '--remote-replicas',
      'with --redis: the replicas of the controller are processes of their own, and meet in a parameter server in Redis: espalier replica',
    )
    .option(
      '--preset <paper|small>',
      "the search of the paper, with all its replicas, or settings for a laptop (default: the paper's for one machine)",
    )
    .option(
      '--set <key=value>',
      'an option of the space, the strategy, the estimator or the training; repeatable',
      collectSetting,
      {},
    )
    .option('--json', 'the result as one JSON value on stdout', false)
    .addHelpText('after', budgets)
    .action(search);
}

async function search(flags: SearchFlags): Promise<void> {
  const terminal = openTerminal(flags.json);
  if (flags.preset !== undefined && !['paper', 'small'].includes(flags.preset))
    throw new InputError(`--preset '${flags.preset}': allowed: paper, small`);
  const { definition: strategy } = await findStrategy(flags.strategy, process.cwd());
  const { definition: space } = await findSpace(flags.space, process.cwd());
  const said = sharesWeights(strategy)
    ? await searchSharingWeights(flags, strategy, space, terminal)
    : await searchIn(folderOf(flags), await requestOf(flags, strategy, space), terminal, queueOf(flags));
  say(said, terminal);
}

/** @throws InputError for an address that is none */
function queueOf({ redis, priority, device }: SearchFlags): QueuePoolSettings | undefined {
  if (redis === undefined) {
    if (priority !== undefined)
      throw new InputError(`--priority ${priority}: workers of a Redis have use for it: --redis URL`);
    return undefined;
  }
  if (device !== undefined)
    throw new InputError(
      `--device ${device}: with --redis each worker has its own: espalier worker --device`,
    );
  return { address: redisAddress(redis), priority: priority ?? 0 };
}

async function searchSharingWeights(
  flags: SearchFlags,
  strategy: AnyWeightSharingDefinition,
  space: AnySpaceDefinition,
  terminal: Terminal,
): Promise<WentOn> {
  const out = folderOf(flags);
  await beginSupernetRun(out, await supernetRequestOf(flags, strategy, space));
  return weightSharingSearch.goOn(out, terminal);
}

async function supernetRequestOf(
  flags: SearchFlags,
  strategy: AnyWeightSharingDefinition,
  space: AnySpaceDefinition,
): Promise<SupernetRunRequest> {
  refuseFlags(
    flags,
    [
      ...(['trials', 'time', 'cost', 'deterministic', 'distinct', 'enqueue', 'workers', 'timeout'] as const),
      ...(['redis', 'priority', 'remoteReplicas', 'estimator'] as const),
    ],
    `strategy ${strategy.name} trains one supernet, and no children`,
  );
  const data = requireData(flags);
  if (flags.device !== undefined && flags.device.length > 1)
    throw new InputError(`--device ${flags.device}: a supernet is trained on one device`);
  const task = await taskFor({ space: Space.configure(space, {}) }, flags.task, flags.data);
  requireSmall(flags, [space.small, strategy.small], `space ${space.name} and strategy ${strategy.name}`);
  const shares = shareOut(flags.set, [
    { word: 'space', owner: `space ${space.name}`, schema: space.options },
    { word: 'supernet', owner: `the supernet of space ${space.name}`, schema: space.supernetOptions },
    { word: 'strategy', owner: `strategy ${strategy.name}`, schema: strategy.options(task.definition) },
    ...(flags.table === undefined
      ? []
      : [{ word: 'table' as const, owner: 'the table', schema: tableOptions }]),
  ]);
  return {
    space: flags.space,
    spaceOptions: { ...smallOf(space, flags), ...withFlags(shares.space, spaceOptionsOf(flags, space)) },
    supernetOptions: shares.supernet,
    strategy: flags.strategy,
    strategyOptions: {
      ...smallOf(strategy, flags),
      ...withFlags(shares.strategy, {
        ...given('epochs', flags.epochs),
        ...given('batchSize', flags.batchSize),
        ...given('device', flags.device?.[0]),
      }),
    },
    task: taskSettingsOf(task, { ...flags, data }),
    ...(flags.table === undefined ? {} : { table: { file: flags.table, options: shares.table } }),
    seed: flags.seed,
    threads: flags.threads ?? Math.max(1, Math.floor(availableParallelism() / (flags.processes ?? 1))),
    ...(flags.processes === undefined ? {} : { processes: flags.processes }),
  };
}

function requireData({ data, estimator = trainingEstimator.name }: SearchFlags): string {
  if (data === undefined)
    throw new InputError(
      `--data is missing: the search trains networks (${estimator}); allowed: ${dataForms}`,
    );
  return data;
}

function given<T>(name: string, value: T | undefined): Record<string, T> {
  return value === undefined ? {} : { [name]: value };
}

/** What `--preset small` sets of a space or a strategy, where it is given. */
function smallOf({ small }: { readonly small?: object }, { preset }: SearchFlags): Record<string, Json> {
  return preset === 'small' ? { ...small } : {};
}

/** The options of a space for children: those for a laptop, or those of the paper's children. */
function childrenOf(space: AnySpaceDefinition, { preset }: SearchFlags): Record<string, Json> {
  return { ...(preset === 'small' ? space.small : space.children) };
}

/** What the preset sets of a strategy. */
function presetOf(
  strategy: AnyStrategyDefinition,
  space: AnySpaceDefinition,
  { preset }: SearchFlags,
): Record<string, Json> {
  if (preset === 'paper') return { ...strategy.paper?.(Space.configure(space, {})) };
  return preset === 'small' ? { ...strategy.small } : {};
}

/** @throws InputError for `--preset small` where nothing has small settings */
function requireSmall(
  { preset }: SearchFlags,
  settings: readonly (object | undefined)[],
  parts: string,
): void {
  if (preset === 'small' && settings.every((one) => Object.keys(one ?? {}).length === 0))
    throw new InputError(`--preset small: ${parts} have no settings for a laptop`);
}

function folderOf({ out, space, strategy, data, table: file, estimator = file, seed }: SearchFlags): string {
  const name = (text: string) => text.replace(/^.*[/\\]/, '').replace(/\.\w+$/, '');
  const on = data?.split(':')[0] ?? name(estimator ?? trainingEstimator.name);
  return out ?? freeFolder(`runs/${name(space)}-${name(strategy)}-${on}-seed${seed}`);
}

/** What the flags say to a strategy with rungs: a child is begun once, and the journal has a trial for each of its rungs. */
function rungFlags(flags: SearchFlags, { name, options }: AnyStrategyDefinition): Record<string, number> {
  if (!('configurations' in (options?.shape ?? {})))
    refuseFlags(flags, ['trials'], `strategy ${name} says itself how many children it trains`);
  return { ...given('maxEpochs', flags.epochs), ...given('configurations', flags.trials) };
}

async function requestOf(
  flags: SearchFlags,
  strategy: AnyStrategyDefinition,
  space: AnySpaceDefinition,
): Promise<ExperimentRequest> {
  refuseFlags(flags, ['processes'], `strategy ${strategy.name} trains children, --workers at a time`);
  if (flags.table !== undefined && flags.estimator !== undefined)
    throw new InputError(
      `--table ${flags.table}: is an estimator of its own, beside --estimator ${flags.estimator}`,
    );
  const estimatorName = flags.table !== undefined ? table.name : (flags.estimator ?? trainingEstimator.name);
  const { definition: estimator } = await findEstimator(estimatorName, process.cwd());
  const trains = 'training' in (estimator.options?.shape ?? {});
  const task = trains
    ? await taskFor({ space: Space.configure(space, {}) }, flags.task, flags.data)
    : undefined;
  requireSmall(
    flags,
    [space.small, strategy.small, task?.definition.training.smallChild],
    `space ${space.name}, strategy ${strategy.name} and estimator ${estimatorName}`,
  );
  const shares = shareOut(flags.set, [
    { word: 'space', owner: `space ${space.name}`, schema: space.options },
    { word: 'strategy', owner: `strategy ${strategy.name}`, schema: strategy.options },
    ...(task === undefined
      ? [{ word: 'estimator' as const, owner: `estimator ${estimator.name}`, schema: estimator.options }]
      : [{ word: 'training' as const, owner: 'the training', schema: task.definition.training.options }]),
  ]);
  const spaceOptions = {
    ...childrenOf(space, flags),
    ...withFlags(shares.space, spaceOptionsOf(flags, space)),
  };
  const strategyOptions = resolveOptions(`strategy ${strategy.name}`, strategy.options, {
    ...presetOf(strategy, space, flags),
    ...withFlags(shares.strategy, strategy.plan === undefined ? {} : rungFlags(flags, strategy)),
  });
  const plan = strategy.plan?.(strategyOptions);
  const hasBudget = flags.time !== undefined || flags.cost !== undefined;
  const first = flags.enqueue && (await enqueued(flags.enqueue, Space.configure(space, spaceOptions)));
  const planned = plan && plan.trials + (first?.length ?? 0);
  const trials = planned ?? flags.trials ?? (hasBudget ? undefined : TRIALS);
  return {
    space: flags.space,
    spaceOptions,
    strategy: flags.strategy,
    strategyOptions,
    estimator: estimatorName,
    estimatorOptions:
      task === undefined
        ? { ...estimatorOptions(flags, estimatorName, shares.estimator), ...given('file', flags.table) }
        : {
            task: taskSettingsOf(task, { ...flags, data: requireData(flags) }) as Json,
            training: trainingOf(
              task.definition.training,
              Space.configure(space, spaceOptions),
              flags,
              plan?.epochs,
              shares.training,
            ),
            threads: flags.threads ?? 1,
            ...given('timeoutSeconds', flags.timeout),
            ...given('devices', flags.device),
          },
    ...given('distinct', flags.distinct),
    ...given('enqueue', first),
    ...given('replicas', flags.remoteReplicas && ('elsewhere' as const)),
    ...given('order', flags.deterministic ? ('virtual' as const) : undefined),
    seed: flags.seed,
    ...given('trials', trials),
    ...given('seconds', flags.time),
    ...given('cost', flags.cost),
    workers: flags.workers ?? availableParallelism(),
  };
}

/** An estimator that trains nothing takes no flags of trainings. */
function estimatorOptions(
  flags: SearchFlags,
  name: string,
  options: Record<string, Json>,
): Record<string, Json> {
  refuseFlags(
    flags,
    [
      'data',
      'task',
      'limit',
      'validation',
      'imageSize',
      'level',
      'epochs',
      'batchSize',
      'threads',
      'timeout',
      'device',
    ],
    `estimator ${name} trains no networks; its own options are set with --set`,
  );
  return options;
}

function trainingOf(
  training: TaskTraining,
  space: Space,
  flags: SearchFlags,
  plannedEpochs: number | undefined,
  set: Record<string, Json>,
): Record<string, Json> {
  return {
    ...resolveOptions('the training', training.options, {
      ...(flags.preset === 'small' ? training.smallChild : training.child(space)),
      ...given('epochs', plannedEpochs),
      ...withFlags(set, { ...given('epochs', flags.epochs), ...given('batchSize', flags.batchSize) }),
    }),
  };
}
