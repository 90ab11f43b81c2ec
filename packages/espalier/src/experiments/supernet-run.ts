import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setThreads } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { type Objectives, objectivesSchema } from '../measures/measure.js';
import type { ImportGraph } from '../modules/import-graph.js';
import { keepCode } from '../modules/kept-code.js';
import { networkFault } from '../networks/network-fault.js';
import { requireActivations, requireMemory } from '../networks/required-memory.js';
import { folderBegunIn } from '../runs/begun-run.js';
import { readJournal } from '../runs/journal.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { optionValues, resolveOptions } from '../space/options.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { resolveSupernetOptions } from '../supernets/build-supernet.js';
import { Table } from '../tables/table.js';
import { type TableOptions, tableOptions } from '../tables/table-options.js';
import { requireDevice } from '../tasks/device.js';
import type { Task } from '../tasks/task.js';
import { taskIn, taskSettings } from '../tasks/task-settings.js';
import { requireSameTraining } from '../training/follow-training.js';
import { clockNow, journalEpochs, withJournal } from '../training/journaled-epochs.js';
import { followEpochs, LedEpochs } from '../training/led-epochs.js';
import { type OpenedTask, openTask, plainInput } from '../training/opened-training.js';
import type { Peers } from '../training/peers.js';
import { rehearse } from '../training/rehearsal.js';
import { writeSamples } from '../training/samples.js';
import { initialised } from '../training/train-child.js';
import { version } from '../version.js';
import type { AnyWeightSharingDefinition } from '../weight-sharing/definition.js';
import type {
  ChoiceStep,
  SearchedSupernet,
  SearchStep,
  SupernetSearch,
} from '../weight-sharing/supernet-search.js';
import type { SupernetSettings } from '../weight-sharing/supernet-settings.js';
import { findStrategy, sharesWeights } from './find-strategy.js';
import { type FoundArchitecture, originOf } from './found-architecture.js';
import { openedNow, partNow, type RunPlace, requireSameData, spaceNow, taskNow } from './places.js';
import { gatherProcesses, PEER_TIMEOUT_SECONDS, requireShares } from './processes.js';
import { requireReadable, requireSameVersion } from './readable-version.js';

const supernetRunSettings = z.strictObject({
  version: z.string(),
  space: z.string(),
  /** Of the file of a user's space, and of the files that it imports. */
  spaceChecksum: z.string().optional(),
  spaceOptions: optionValues,
  supernetOptions: optionValues,
  strategy: z.string(),
  strategyChecksum: z.string().optional(),
  strategyOptions: optionValues,
  task: taskSettings,
  dataChecksum: z.string(),
  /** What the supernet is built for. */
  input: optionValues,
  objectives: objectivesSchema,
  /** A table of trained networks of the space, which says what the cells of each epoch are worth. */
  table: z
    .strictObject({
      file: z.string(),
      checksum: z.string(),
      options: optionValues,
      /** What its values are. */
      objectives: objectivesSchema,
    })
    .optional(),
  seed: z.int(),
  /** Of each process. */
  threads: z.int().min(1),
  /** How many processes train the supernet; missing: one. */
  processes: z.int().min(2).optional(),
});

/** Everything that a search with shared weights is: with the same settings, the same journal. */
type SupernetRunSettings = z.infer<typeof supernetRunSettings>;

/** What the user says of a search; everything else is found out. */
export type SupernetRunRequest = Pick<
  SupernetRunSettings,
  | 'space'
  | 'spaceOptions'
  | 'supernetOptions'
  | 'strategy'
  | 'strategyOptions'
  | 'task'
  | 'seed'
  | 'threads'
  | 'processes'
> & {
  /** The table that judges the cells of each epoch; the search does not see what it says. */
  readonly table?: Pick<NonNullable<SupernetRunSettings['table']>, 'file' | 'options'>;
};

/** The word that the journal of such a search begins with. */
export const SUPERNET = 'supernet';

/** A search with its data open, checked before anything is written. */
interface PreparedSearch extends OpenedTask {
  readonly settings: SupernetRunSettings;
  readonly space: Space;
  readonly strategy: AnyWeightSharingDefinition;
  readonly options: SupernetSettings;
  readonly task: Task<object>;
  readonly table?: Table;
  /** The user's code that it works with. */
  readonly code: readonly ImportGraph[];
  readonly buildSupernet: () => SearchedSupernet<object>;
  /** @throws InputError for a supernet that the task cannot train */
  readonly requireTrainable: (supernet: SearchedSupernet<object>) => void;
}

/** @param folder that relative paths begin at */
async function prepare(request: SupernetRunRequest, folder: string): Promise<PreparedSearch> {
  const spacePart = await findSpace(request.space, folder);
  const strategyPart = await findStrategy(request.strategy, folder);
  const strategy = strategyPart.definition;
  if (!sharesWeights(strategy))
    throw new InputError(`strategy ${request.strategy} trains children, and no supernet`);
  const space = Space.configure(spacePart.definition, {
    ...spacePart.definition.searched,
    ...strategy.spaceOptions?.(spacePart.definition),
    ...request.spaceOptions,
  });
  const supernetOptions = resolveSupernetOptions(space, request.supernetOptions);
  const opened = await openTask(taskIn(folder, request.task), strategy.validationShare);
  const { definition, graph, data } = opened;
  const resolved = resolveOptions(
    `strategy ${strategy.name}`,
    strategy.options(definition),
    request.strategyOptions,
  );
  const options = resolved as unknown as SupernetSettings;
  requireDevice(options.device);
  const table = request.table && openTable(request.table, space, folder);
  const task = data.task(resolved);
  const settings: SupernetRunSettings = {
    version,
    space: request.space,
    ...(spacePart.graph === undefined ? {} : { spaceChecksum: spacePart.graph.checksum }),
    spaceOptions: { ...space.options },
    supernetOptions: { ...supernetOptions },
    strategy: request.strategy,
    ...(strategyPart.graph === undefined ? {} : { strategyChecksum: strategyPart.graph.checksum }),
    strategyOptions: { ...resolved },
    task: { ...request.task, ...(graph === undefined ? {} : { checksum: graph.checksum }) },
    dataChecksum: data.checksum(),
    input: plainInput(opened),
    objectives: task.measures,
    ...(table === undefined || request.table === undefined
      ? {}
      : {
          table: {
            ...request.table,
            checksum: table.checksum,
            objectives: table.objectives as SupernetRunSettings['objectives'],
          },
        }),
    seed: request.seed,
    threads: request.threads,
    ...(request.processes === undefined ? {} : { processes: request.processes }),
  };
  return {
    ...opened,
    settings,
    space,
    strategy,
    options,
    task,
    ...(table === undefined ? {} : { table }),
    code: [spacePart, strategyPart, opened].flatMap((part) => part.graph ?? []),
    buildSupernet: () =>
      definition.networks.buildSupernet(
        space,
        data.input,
        supernetOptions,
      ) as unknown as SearchedSupernet<object>,
    requireTrainable(supernet) {
      data.requireTrainable(supernet, space.name, resolved);
      const { networks } = definition;
      requireActivations(networks.trace(supernet, data.input), options.batchSize, task.timeSteps);
    },
  };
}

function openTable(
  { file, options }: NonNullable<SupernetRunRequest['table']>,
  space: Space,
  folder: string,
): Table {
  return Table.open(
    resolve(folder, file),
    space,
    resolveOptions('the table', tableOptions, options) as TableOptions,
  );
}

/** What the table says of an architecture, for the journal. */
function judgedBy({ table, space }: PreparedSearch, architecture: unknown): { readonly judged?: number } {
  if (table === undefined || architecture === undefined) return {};
  return { judged: table.look({ answers: space.encode(architecture) }).judged };
}

/** The supernet as the seed initialises it, in the layout that trains fastest, and the search on it. */
function makeSearch(
  { settings, space, strategy, options, task, buildSupernet }: PreparedSearch,
  peers?: Peers,
): {
  readonly supernet: SearchedSupernet<object>;
  readonly search: SupernetSearch<object>;
} {
  const { seed } = settings;
  const supernet = initialised(buildSupernet, seed, options.device);
  return { supernet, search: strategy.create({ space, task, supernet, options, seed, peers }) };
}

/**
 * Begins a search with shared weights in a new folder.
 *
 * @param requireData throws an InputError for the checksum of data that it must not be
 * @throws InputError for whatever is wrong with the request; nothing is written then
 */
export async function beginSupernetRun(
  path: string,
  request: SupernetRunRequest,
  requireData: (checksum: string) => void = () => {},
): Promise<void> {
  RunFolder.requireFree(path);
  const prepared = await prepare(request, process.cwd());
  requireData(prepared.settings.dataChecksum);
  const { space, task, buildSupernet: build, requireTrainable, options } = prepared;
  const { processes: count } = request;
  if (count !== undefined) {
    if (!task.independentBatches)
      throw new InputError(
        `--processes ${count}: the batch norm of recurrent supernets is that of one process; allowed for images`,
      );
    requireShares(task, options.batchSize, { count, syncBatchNorm: true }, ['train', 'validation']);
  }
  const owner = `space ${space.name}`;
  requireMemory({ owner, build, copies: 2 });
  rehearse({
    task,
    build,
    require: requireTrainable,
    named: (error, doing) => new InputError(`${owner}: its supernet ${doing}: ${networkFault(error, build)}`),
    batchSize: options.batchSize,
    device: options.device,
    trains: ['train', 'validation'],
    evaluates: ['validation'],
  });
  // What the strategy refuses is found here and not in the run.
  const { supernet, search } = makeSearch(prepared);
  search.free();
  supernet.free();
  const header = JSON.parse(JSON.stringify(prepared.settings)) as Record<string, Json>;
  RunFolder.begin(path, { event: SUPERNET, ...header }, prepared.code);
}

/** What a search with shared weights has come to so far. */
export interface SupernetRunState {
  readonly settings: SupernetRunSettings;
  /** Its folder. */
  readonly path: string;
  /** The folder that relative paths of the settings begin at. */
  readonly from: string;
  readonly space: Space;
  /** The code of a user's space. */
  readonly code?: ImportGraph;
  readonly objectives: Objectives;
  readonly epochs: readonly JournalEvent[];
  /** What the strategy journaled while it chose. */
  readonly choice: readonly JournalEvent[];
  /** The last event of a finished search. */
  readonly end: JournalEvent | undefined;
}

/** Reads the journal of such a search, and runs no code of the user. Errors as in `readSupernetRun`. */
export function readSupernetJournal(path: string): Omit<SupernetRunState, 'space' | 'code'> {
  const folder = RunFolder.open(path);
  const [first, ...events] = readJournal(folder.journal).events;
  requireReadable(first as JournalEvent, folder.journal);
  const { event: _, clock: __, ...header } = first as JournalEvent;
  const parsed = supernetRunSettings.safeParse(header);
  if (!parsed.success)
    throw new InputError(
      `${folder.journal}:1: not a search with shared weights: ${z.prettifyError(parsed.error)}`,
    );
  const settings = parsed.data;
  return {
    settings,
    path,
    from: folderBegunIn(first as JournalEvent, path),
    objectives: settings.objectives,
    epochs: events.filter(({ event }) => event === 'epoch'),
    choice: events.filter(({ event }) => event !== 'epoch' && event !== 'end'),
    end: events.find(({ event }) => event === 'end'),
  };
}

/**
 * What such a search has come to. A space whose file has changed meanwhile is read from the run's copy of it.
 *
 * @throws InputError for a folder without such a search, and for a broken journal
 */
export async function readSupernetRun(path: string): Promise<SupernetRunState> {
  const run = readSupernetJournal(path);
  return { ...run, ...(await spaceNow(run.settings, { run: path, from: run.from, use: 'read' })) };
}

/**
 * The architecture that a search with shared weights has found, or stands at after its last epoch, in the network that
 * the space trains from scratch; the search has a smaller one.
 *
 * @throws InputError where it has come to none yet
 */
export function foundBy({
  space,
  code,
  settings,
  path,
  from,
  epochs,
  end,
}: SupernetRunState): FoundArchitecture {
  const architecture = end?.architecture ?? epochs.at(-1)?.architecture;
  if (architecture === undefined)
    throw new InputError(
      `${path}: the search has come to no architecture yet; it has done ${epochs.length} epochs`,
    );
  const { definition, options } = space;
  const searched = Object.keys(definition.searched ?? {});
  const own = Space.configure(
    definition,
    Object.fromEntries(Object.entries(options).filter(([name]) => !searched.includes(name))),
  );
  return {
    space: own,
    architecture: own.validate(architecture),
    ...(code === undefined ? {} : { code }),
    ...originOf(
      settings.space,
      from,
      taskNow(settings.task, { run: path, from, use: 'read' }),
      settings.input,
    ),
    training: {
      options: settings.strategyOptions,
      sharesWeights: true,
      dataChecksum: settings.dataChecksum,
    },
  };
}

/** What was asked for in a search that was begun. */
export function supernetRequestOf({
  space,
  spaceOptions,
  supernetOptions,
  strategy,
  strategyOptions,
  task: { checksum: _, ...task },
  table,
  seed,
  threads,
  processes,
}: SupernetRunSettings): SupernetRunRequest {
  const request = {
    ...{ space, spaceOptions, supernetOptions, strategy, strategyOptions, task, seed, threads },
    ...(processes === undefined ? {} : { processes }),
  };
  return table === undefined ? request : { ...request, table: { file: table.file, options: table.options } };
}

/** The same with the paths at which everything is now. @throws InputError where a file of the user has changed or is gone */
export function supernetRequestNow(settings: SupernetRunSettings, place: RunPlace): SupernetRunRequest {
  const { space, spaceChecksum, strategy, strategyChecksum, task } = settings;
  return {
    ...supernetRequestOf(settings),
    space: partNow('space', space, spaceChecksum, place),
    strategy: partNow('strategy', strategy, strategyChecksum, place),
    task: taskNow(task, place),
  };
}

/** What such a search reports while it works. */
export interface SupernetWatch {
  readonly signal: AbortSignal;
  step(step: SearchStep): void;
  epochEnded(event: JournalEvent): void;
  choice(step: ChoiceStep): void;
  message(text: string): void;
}

/** Opens a begun search. */
async function openBegun(path: string, data: string | undefined, device?: string) {
  const { settings, from } = readSupernetJournal(path);
  requireSameVersion(settings.version, path);
  setThreads(settings.threads);
  const place: RunPlace = { run: path, from, use: 'go on', data };
  const asked = supernetRequestNow(settings, place);
  const request =
    device === undefined ? asked : { ...asked, strategyOptions: { ...asked.strategyOptions, device } };
  const prepared = await openedNow(request.task, place, () => prepare(request, from));
  if (settings.table?.checksum !== prepared.settings.table?.checksum)
    throw new InputError(
      `the table ${settings.table?.file} has changed since the search was begun; a resumed search would not be the same`,
    );
  requireSameData(settings.dataChecksum, prepared.settings.dataChecksum, settings.task.data, place);
  return { settings, prepared };
}

/**
 * Prepares a begun search in a process that the first one has started.
 *
 * @returns trains the supernet with the others
 * @throws InputError as `continueSupernetRun`
 */
export async function prepareBegunSearch(
  path: string,
  data: string | undefined,
  device: string,
): Promise<(peers: Peers) => void> {
  const { settings, prepared } = await openBegun(path, data, device);
  return (peers) => {
    requireSameTraining(peers, identityOf(settings));
    const { supernet, search } = makeSearch(prepared, peers);
    try {
      followEpochs(search, peers);
    } finally {
      search.free();
      supernet.free();
    }
  };
}

/** What must be equal in all processes: they read the same journal, each in its own time. */
const identityOf = (settings: SupernetRunSettings): Record<string, Json> => ({
  journal: JSON.parse(JSON.stringify(settings)) as Json,
});

/**
 * Goes on with a search from the last saved epoch.
 *
 * @param data where it is now, if not where the settings say
 * @returns whether it came to its end; false where it was stopped
 * @throws InputError where the version, the space's file or the data are not what they were, and Diverged
 */
export async function continueSupernetRun(
  path: string,
  watch: SupernetWatch,
  data?: string,
): Promise<boolean> {
  const { settings, prepared } = await openBegun(path, data);
  // A process that was killed early may not have come to this.
  keepCode(path, prepared.code);
  const { message, signal } = watch;
  for (const note of prepared.data.notes ?? []) message(`note: ${note}`);
  const { processes: count, threads } = settings;
  const gathered =
    count === undefined
      ? undefined
      : await gatherProcesses({
          program: new URL('../programs/search-process.js', import.meta.url),
          processes: { count, syncBatchNorm: true },
          meeting: { timeoutSeconds: PEER_TIMEOUT_SECONDS },
          threads,
          device: prepared.options.device,
          init: { path: resolve(path), data: data ?? null, epochs: null },
          signal,
          message,
        });
  try {
    if (gathered !== undefined) requireSameTraining(gathered.peers, identityOf(settings));
    return await goOn(path, settings, prepared, watch, gathered?.peers);
  } catch (error) {
    throw gathered === undefined ? error : await gathered.explained(error);
  } finally {
    await gathered?.close();
  }
}

function goOn(
  path: string,
  settings: SupernetRunSettings,
  prepared: PreparedSearch,
  watch: SupernetWatch,
  peers: Peers | undefined,
): Promise<boolean> {
  const { message, signal } = watch;
  return withJournal(path, RunFolder.open(path).journal, message, async (journal) => {
    const begin = { event: SUPERNET, ...JSON.parse(JSON.stringify(settings)) } as JournalEvent;
    journal.write(begin, clockNow());
    const { supernet, search } = makeSearch(prepared, peers);
    const led = peers === undefined ? undefined : new LedEpochs(search, peers);
    try {
      const trained = await journalEpochs(led ?? search, journal, {
        checkpoint: join(path, 'checkpoint.safetensors'),
        signal,
        report: watch.step,
        epochEnded: watch.epochEnded,
        more: ({ architecture }) => judgedBy(prepared, architecture),
        message,
      });
      if (!trained) return false;
      led?.end();
      const chosenFrom = performance.now();
      const choice = search.choose(() => journal.next());
      let next = choice.next();
      while (!next.done) {
        watch.choice(next.value);
        if (next.value.event !== undefined) journal.write(next.value.event, clockNow());
        await setImmediate();
        if (signal.aborted) return false;
        next = choice.next();
      }
      const { architecture, details } = next.value;
      const samples = search.samples(next.value);
      if (samples !== undefined) await writeSamples(path, samples);
      const canonical = prepared.space.validate(architecture) as Json;
      const seconds = (performance.now() - chosenFrom) / 1000;
      const judged = judgedBy(prepared, canonical);
      journal.write(
        { event: 'end', architecture: canonical, ...details, ...judged },
        { ...clockNow(), seconds },
      );
      journal.finish();
      return true;
    } finally {
      search.free();
      supernet.free();
    }
  });
}
