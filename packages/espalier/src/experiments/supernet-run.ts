import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setThreads } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { ImportGraph } from '../modules/import-graph.js';
import { keepCode } from '../modules/kept-code.js';
import { networkFault } from '../networks/network-fault.js';
import { requireActivations, requireMemory } from '../networks/required-memory.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import { resolveOptions } from '../space/options.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { resolveSupernetOptions } from '../supernets/build-supernet.js';
import { Table } from '../tables/table.js';
import { type TableOptions, tableOptions } from '../tables/table-options.js';
import { requireDevice } from '../tasks/device.js';
import type { Task } from '../tasks/task.js';
import { taskIn } from '../tasks/task-settings.js';
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
import { openedNow, type RunPlace, requireSameData } from './places.js';
import { gatherProcesses, PEER_TIMEOUT_SECONDS, requireShares } from './processes.js';
import { readSupernetJournal } from './read-supernet-run.js';
import { requireSameVersion } from './readable-version.js';
import {
  SUPERNET,
  type SupernetRunRequest,
  type SupernetRunSettings,
  supernetRequestNow,
} from './supernet-run-settings.js';

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
