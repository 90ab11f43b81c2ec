import { setThreads } from '@espalier/torch';
import { z } from 'zod';
import type { OpenedEstimator } from '../estimators/estimator-definition.js';
import { findEstimator } from '../estimators/find-estimator.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { objectivesSchema } from '../measures/measure.js';
import type { ImportGraph } from '../modules/import-graph.js';
import type { RemoteParts } from '../queue/open-queue-pool.js';
import { PROTOCOL } from '../queue/queue-message.js';
import type { Estimator } from '../runs/estimator.js';
import type { RunHeader } from '../runs/journal-event.js';
import { openLocalPool } from '../runs/local-pool.js';
import { optionValues, resolveOptions } from '../space/options.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { answersJson } from '../strategies/answers-json.js';
import { DistinctStrategy } from '../strategies/distinct-strategy.js';
import { EnqueuedStrategy } from '../strategies/enqueued-strategy.js';
import { createStrategy } from '../strategies/guarded-strategy.js';
import type { AnyStrategyDefinition, Proposal, Strategy } from '../strategies/strategy.js';
import { taskSettings } from '../tasks/task-settings.js';
import { version } from '../version.js';
import { findStrategy, sharesWeights } from './find-strategy.js';
import { openedNow, partNow, type RunPlace, requireSameData, taskNow } from './places.js';
import { requireSameVersion } from './readable-version.js';

/** How the trials of a search are measured. */
const estimation = z.strictObject({
  /** A name, or the path of a file. */
  estimator: z.string(),
  /** Of the file of a user's estimator. */
  checksum: z.string().optional(),
  options: optionValues,
  /** What the numbers depend on: see `EstimationSource`. */
  source: z.strictObject({ name: z.string(), checksum: z.string() }).optional(),
  /** What the networks are built for, where there are some. */
  input: optionValues.optional(),
  costUnit: z.string().optional(),
});

/** Everything that a search is: with the same settings, and the same order of results, the same journal. */
const experimentSettings = z.strictObject({
  version: z.string(),
  /** A name, or the path of a file. */
  space: z.string(),
  /** Of the file of a user's space, and of the files that it imports. */
  spaceChecksum: z.string().optional(),
  spaceOptions: optionValues,
  strategy: z.string(),
  strategyChecksum: z.string().optional(),
  strategyOptions: optionValues,
  estimation,
  objectives: objectivesSchema,
  /** Whether nothing is measured twice. */
  distinct: z.literal(true).optional(),
  /** Whether the replicas of the controller are processes of their own. */
  replicas: z.literal('elsewhere').optional(),
  /** Decision sequences that are tried before the strategy is asked. */
  enqueue: z.array(answersJson).min(1).optional(),
  order: z.enum(['arrival', 'virtual']),
  seed: z.int(),
  trials: z.int().min(1).optional(),
  seconds: z.number().positive().optional(),
  cost: z.number().positive().optional(),
  workers: z.int().min(1),
});

export type ExperimentSettings = z.infer<typeof experimentSettings>;

/** What the user says of a search; everything else is found out. */
export interface ExperimentRequest
  extends Pick<
    ExperimentSettings,
    | 'space'
    | 'spaceOptions'
    | 'strategy'
    | 'strategyOptions'
    | 'distinct'
    | 'replicas'
    | 'enqueue'
    | 'seed'
    | 'trials'
    | 'seconds'
    | 'cost'
    | 'workers'
  > {
  readonly estimator: string;
  readonly estimatorOptions: Readonly<Record<string, Json>>;
  /** By default in order of arrival for a strategy that has use for it: see `StrategyDefinition.asynchronous`. */
  readonly order?: ExperimentSettings['order'];
}

/** A search with everything that it needs, checked before anything is written. */
export interface Experiment {
  readonly settings: ExperimentSettings;
  readonly space: Space;
  readonly strategy: Strategy;
  readonly estimator: Estimator;
  /** The user's code that it works with. */
  readonly code: readonly ImportGraph[];
  /** What a person should know before it begins. */
  readonly notes: readonly string[];
  /** Ends the workers and frees the strategy. */
  close(): Promise<void>;
}

/**
 * Makes a search ready: finds its parts, checks every option, and opens the estimator, which opens the data, builds one
 * network of the space and starts the workers. This process computes on one thread from now on, because the cores
 * belong to the workers.
 *
 * @param folder that relative paths begin at
 * @param remote what it has elsewhere; by default everything is in processes of this machine
 * @throws InputError for whatever is wrong with the request
 */
export async function prepareExperiment(
  request: ExperimentRequest,
  folder: string,
  remote?: RemoteParts,
): Promise<Experiment> {
  const { seed, workers, trials, seconds, cost } = request;
  if (trials === undefined && seconds === undefined && cost === undefined)
    throw new InputError('a search needs a budget: trials, seconds or cost');
  const spacePart = await findSpace(request.space, folder);
  const space = Space.configure(spacePart.definition, request.spaceOptions);
  const strategyPart = await findStrategy(request.strategy, folder);
  if (sharesWeights(strategyPart.definition))
    throw new InputError(`strategy ${request.strategy} trains one supernet, not children`);
  const definition: AnyStrategyDefinition = strategyPart.definition;
  const owner = `strategy ${definition.name}`;
  const strategyOptions = resolveOptions(owner, definition.options, request.strategyOptions);
  const estimatorPart = await findEstimator(request.estimator, folder);
  const options = resolveOptions(
    `estimator ${estimatorPart.definition.name}`,
    estimatorPart.definition.options,
    request.estimatorOptions,
  );
  const plannedEpochs = definition.plan?.(strategyOptions).epochs;
  const opened = await estimatorPart.definition.open({
    space,
    spaceName: spacePart.name,
    ...(spacePart.graph === undefined ? {} : { spaceChecksum: spacePart.graph.checksum }),
    options,
    seed,
    workers,
    folder,
    openPool: remote?.openPool ?? openLocalPool,
    ...(plannedEpochs === undefined ? {} : { plannedEpochs }),
  });
  try {
    const arrives = request.replicas !== undefined || isAsynchronous(definition, strategyOptions);
    const settings: ExperimentSettings = {
      version,
      space: request.space,
      ...checksumOf('spaceChecksum', spacePart),
      spaceOptions: { ...space.options },
      strategy: request.strategy,
      ...checksumOf('strategyChecksum', strategyPart),
      strategyOptions: { ...strategyOptions },
      estimation: {
        estimator: request.estimator,
        ...checksumOf('checksum', estimatorPart),
        options: { ...(opened.options ?? options) },
        ...(opened.source === undefined ? {} : { source: { ...opened.source } }),
        ...(opened.input === undefined ? {} : { input: { ...opened.input } }),
        ...(opened.costUnit === undefined ? {} : { costUnit: opened.costUnit }),
      },
      objectives: objectivesOf(opened, request.estimator),
      ...(request.distinct === undefined ? {} : { distinct: request.distinct }),
      ...(request.replicas === undefined ? {} : { replicas: request.replicas }),
      ...(request.enqueue === undefined ? {} : { enqueue: request.enqueue }),
      order: request.order ?? (arrives ? 'arrival' : 'virtual'),
      seed,
      ...(trials === undefined ? {} : { trials }),
      ...(seconds === undefined ? {} : { seconds }),
      ...(cost === undefined ? {} : { cost }),
      workers,
    };
    if (cost !== undefined && opened.costUnit === undefined)
      throw new InputError(`cost ${cost}: estimator ${request.estimator} does not say what a trial costs`);
    // A second thread of this process would take a core from a worker: half of what a search with children of a second
    // took besides them (npm run bench:overhead).
    setThreads(1);
    const replicas = request.replicas && remoteReplicas(request, definition, settings, remote);
    const own = createStrategy(replicas ?? definition, {
      space,
      seed,
      options: strategyOptions,
      objectives: opened.objectives,
    });
    const { distinct, enqueue } = request;
    const beginning = enqueue === undefined ? own : new EnqueuedStrategy(own, enqueue);
    const strategy = distinct === true ? new DistinctStrategy(beginning) : beginning;
    return {
      settings,
      space,
      strategy,
      estimator: estimatorOf(opened, space),
      code: [
        ...[spacePart, strategyPart, estimatorPart].flatMap(({ graph }) => graph ?? []),
        ...(opened.code ?? []),
      ],
      notes: [
        ...(opened.notes ?? []),
        ...(trials === undefined ? [] : (definition.notes?.(strategyOptions, trials, space) ?? [])),
      ],
      async close() {
        own.close();
        await opened.close?.();
      },
    };
  } catch (error) {
    await opened.close?.();
    throw error;
  }
}

/**
 * The strategy with its replicas elsewhere.
 *
 * @throws InputError where it has none, or where what they draw could not be told apart from what else is tried
 */
function remoteReplicas(
  { distinct, enqueue, order, space, seed }: ExperimentRequest,
  definition: AnyStrategyDefinition,
  { spaceChecksum, spaceOptions, strategyOptions }: ExperimentSettings,
  remote: RemoteParts | undefined,
): AnyStrategyDefinition {
  const refusal = (reason: string) => new InputError(`--remote-replicas: ${reason}`);
  if (definition.policy === undefined)
    throw refusal(`strategy ${definition.name} has no controller replicas; allowed: reinforce, ppo`);
  if (remote === undefined)
    throw refusal('the replicas of this search are processes elsewhere, which meet in a Redis: --redis URL');
  if (distinct !== undefined || enqueue !== undefined || order === 'virtual')
    throw refusal('replicas draw on their own; leave out --distinct, --enqueue and --deterministic');
  const offer = {
    protocol: PROTOCOL,
    ...{ version, space, spaceOptions, strategyOptions, seed, strategy: definition.name },
    ...(spaceChecksum === undefined ? {} : { spaceChecksum }),
  };
  return { ...definition, create: (start) => remote.replicas(offer, start) };
}

function isAsynchronous({ asynchronous = false }: AnyStrategyDefinition, options: object): boolean {
  return typeof asynchronous === 'function' ? asynchronous(options) : asynchronous;
}

function objectivesOf({ objectives }: OpenedEstimator, name: string): ExperimentSettings['objectives'] {
  const parsed = objectivesSchema.safeParse(objectives);
  if (parsed.success) return parsed.data;
  throw new InputError(`estimator ${name}: its objectives are no measures: ${z.prettifyError(parsed.error)}`);
}

function checksumOf<Key extends string>(
  key: Key,
  { graph }: { readonly graph?: ImportGraph },
): { readonly [key in Key]?: string } {
  return graph === undefined ? {} : ({ [key]: graph.checksum } as { readonly [key in Key]?: string });
}

/** The estimator as a search calls it. */
function estimatorOf(opened: OpenedEstimator, space: Space): Estimator {
  return {
    begin: (search) => opened.begin?.(search),
    forget: (trial) => opened.forget?.(trial),
    async estimate(request, context) {
      const own = request.depth === undefined ? space : space.withDepth(request.depth);
      return opened.estimate({ ...request, space: own, architecture: own.decode(request.answers) }, context);
    },
  };
}

/** The settings in the header of a search's journal. @throws InputError where they are not those of a search */
export function settingsOf(header: RunHeader): ExperimentSettings {
  const parsed = experimentSettings.safeParse(header);
  if (!parsed.success)
    throw new InputError(`the journal's header is not that of a search: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export function headerOf(settings: ExperimentSettings): RunHeader {
  return JSON.parse(JSON.stringify(settings)) as RunHeader;
}

/** What a proposal means, for the journal. Where the space makes nothing of it, its trial will fail with the reason. */
export function architectureOf(space: Space): (proposal: Proposal) => Json | undefined {
  return ({ answers, depth }) => {
    try {
      const own = depth === undefined ? space : space.withDepth(depth);
      return JSON.parse(JSON.stringify(own.decode(answers))) as Json;
    } catch {
      return undefined;
    }
  };
}

/** What was asked for in a search that was begun. */
export function requestOf({
  version: _,
  spaceChecksum: __,
  strategyChecksum: ___,
  estimation: { estimator, options },
  objectives: ____,
  ...request
}: ExperimentSettings): ExperimentRequest {
  return { ...request, estimator, estimatorOptions: options };
}

/** The same with the paths at which everything is now. @throws InputError where a file of the user has changed or is gone */
export function requestNow(begun: ExperimentSettings, place: RunPlace): ExperimentRequest {
  const request = requestOf(begun);
  const { estimation } = begun;
  const task = taskSettings.safeParse(estimation.options.task);
  return {
    ...request,
    space: partNow('space', begun.space, begun.spaceChecksum, place),
    strategy: partNow('strategy', begun.strategy, begun.strategyChecksum, place),
    estimator: partNow('estimator', estimation.estimator, estimation.checksum, place),
    ...(task.success
      ? { estimatorOptions: { ...request.estimatorOptions, task: taskNow(task.data, place) as Json } }
      : {}),
  };
}

/**
 * Makes a begun search ready to go on.
 *
 * @param timeoutSeconds of a child, where it was amended
 * @param remote see `prepareExperiment`
 * @throws InputError where the version, a file of the user, or the data has changed since
 */
export async function prepareResume(
  header: RunHeader,
  place: RunPlace,
  timeoutSeconds?: number,
  remote?: RemoteParts,
): Promise<Experiment> {
  const begun = settingsOf(header);
  requireSameVersion(begun.version, 'search');
  const now = requestNow(begun, place);
  const request: ExperimentRequest = {
    ...now,
    estimatorOptions: {
      ...now.estimatorOptions,
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    },
  };
  const task = taskSettings.safeParse(request.estimatorOptions.task);
  const experiment = await openedNow(task.data, place, () => prepareExperiment(request, place.from, remote));
  try {
    const { source } = experiment.settings.estimation;
    requireSameData(begun.estimation.source?.checksum, source?.checksum, source?.name, place);
  } catch (error) {
    await experiment.close();
    throw error;
  }
  // The journal says where everything was when the run was begun.
  return { ...experiment, settings: begun };
}
