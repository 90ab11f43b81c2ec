import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type nn, setThreads } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { keepCode } from '../modules/kept-code.js';
import { AMENDED } from '../runs/amendments.js';
import { writeFileAtomically } from '../runs/atomic-file.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { RunFolder } from '../runs/run-folder.js';
import type { Space } from '../space/space.js';
import { taskIn } from '../tasks/task-settings.js';
import { type JudgedPart, type TrainedNetwork, trainToEnd } from '../training/final-training.js';
import { type PreparedTraining, requireSameTraining } from '../training/follow-training.js';
import type { StepReport } from '../training/network-training.js';
import { type OpenedTraining, openTraining, plainInput } from '../training/opened-training.js';
import { version } from '../version.js';
import { begunArchitecture, type FoundArchitecture, parseArchitecture } from './found-architecture.js';
import { dataOf } from './held-out-data.js';
import { openedNow, type RunPlace, requireSameData, taskNow } from './places.js';
import {
  type Gathered,
  gatherProcesses,
  type MeetingOptions,
  PEER_TIMEOUT_SECONDS,
  type ProcessesSettings,
  requireShares,
} from './processes.js';
import { requireSameVersion } from './readable-version.js';
import { checksumOfSignature, signatureFile, signatureText } from './signature-file.js';
import { keepStartingWeights, startingFrom, startingWeightsFile, withChecksum } from './starting-weights.js';
import {
  readTraining,
  TRAINING,
  type TrainingRequest,
  type TrainingRunSettings,
} from './training-run-settings.js';

/**
 * Begins the training of an architecture in a new folder.
 *
 * @throws InputError for data that is missing and for a folder that is taken; nothing is written then
 */
export async function beginTraining(
  path: string,
  found: FoundArchitecture,
  request: TrainingRequest,
): Promise<void> {
  RunFolder.requireFree(path);
  const opened = await checkTraining(found, request);
  const settings = settingsOf(found, request, opened);
  RunFolder.begin(
    path,
    { event: TRAINING, ...(JSON.parse(JSON.stringify(settings)) as Record<string, Json>) },
    [found.code, opened.graph].flatMap((code) => code ?? []),
  );
  writeFileAtomically(signatureFile(path), signatureText(opened));
  if (settings.start !== undefined && request.start !== undefined)
    keepStartingWeights(path, request.start.kept ?? request.start.file, settings.start);
}

function settingsOf(
  found: FoundArchitecture,
  request: TrainingRequest,
  opened: OpenedTraining,
): TrainingRunSettings {
  const { graph } = opened;
  return {
    version,
    architecture: begunArchitecture(found),
    task: { ...request.task, ...(graph === undefined ? {} : { checksum: graph.checksum }) },
    dataChecksum: opened.data.checksum(),
    input: plainInput(opened),
    signature: checksumOfSignature(signatureText(opened)),
    objectives: opened.task.measures,
    training: { ...opened.options },
    ...(request.judge === undefined ? {} : { judge: request.judge }),
    ...(request.start === undefined ? {} : { start: withChecksum(request.start) }),
    seed: request.seed,
    threads: request.threads,
    ...(request.processes === undefined ? {} : { processes: request.processes }),
  };
}

/** What must be equal in all processes of a training. Places, threads and devices may be others. */
function identityOf(settings: TrainingRunSettings): Record<string, Json> {
  const { architecture, dataChecksum, input, signature, seed, start, processes } = settings;
  const { device: _, ...training } = settings.training;
  return JSON.parse(
    JSON.stringify({
      version: settings.version,
      processes,
      architecture,
      dataChecksum,
      input,
      signature,
      training,
      seed,
      weights: start?.checksum,
      task: settings.task.checksum,
    }),
  ) as Record<string, Json>;
}

/**
 * Prepares the training that a request asks for, in a process that another one on another machine leads.
 *
 * @throws InputError as `checkTraining`
 */
export async function prepareTraining(
  found: FoundArchitecture,
  request: TrainingRequest,
): Promise<PreparedTraining> {
  const opened = await checkTraining(found, request);
  const { space, architecture } = found;
  const { start, seed, threads } = request;
  setThreads(threads);
  const begin =
    start === undefined
      ? () => {}
      : startingFrom(start.kept ?? start.file, start, opened, space, architecture);
  return {
    build() {
      const network = opened.build(space, architecture);
      begin(network);
      return network;
    },
    task: opened.task,
    settings: opened.settings,
    seed,
    identity: identityOf(settingsOf(found, request, opened)),
  };
}

/**
 * Prepares a begun training, in a process that the first one has started.
 *
 * @throws InputError as `continueTraining`
 */
export async function prepareBegunTraining(
  path: string,
  going: GoingOnTraining & { readonly device: string },
): Promise<PreparedTraining> {
  const { begun, opened, build } = await openBegun(path, going, 'read');
  return {
    build,
    task: opened.task,
    settings: opened.settings,
    seed: begun.seed,
    identity: identityOf({ ...begun, dataChecksum: opened.data.checksum() }),
  };
}

/**
 * Opens the data and builds the network once, so that what does not fit is found here and not in the run. Relative paths
 * begin at the working folder.
 *
 * @throws InputError for data that is missing, for options and devices, and for a network that the data does not fit
 */
export async function checkTraining(
  found: Pick<FoundArchitecture, 'space' | 'architecture'>,
  request: Pick<TrainingRequest, 'task' | 'training' | 'judge' | 'start' | 'processes'>,
): Promise<OpenedTraining> {
  const task = taskIn(process.cwd(), request.task);
  const opened = await openTraining(await dataOf(task, request), request.training);
  const { space, architecture } = found;
  opened.requireTrainable(space, architecture, [request.judge ?? 'test']);
  const { start, processes } = request;
  if (processes !== undefined) requireShares(opened.task, opened.settings.batchSize, processes);
  if (start !== undefined) {
    const network = opened.build(space, architecture);
    try {
      startingFrom(start.kept ?? start.file, start, opened, space, architecture)(network);
    } finally {
      network.free();
    }
  }
  return opened;
}

/** What a training reports while it works. */
export interface TrainingWatch {
  readonly signal: AbortSignal;
  report(step: StepReport, epochs: number): void;
  epochEnded(event: JournalEvent): void;
  message(text: string): void;
}

/** How a begun training goes on otherwise than its settings say. */
export interface GoingOnTraining {
  /** Where its data is now. */
  readonly data?: string | undefined;
  /** Epochs in all. */
  readonly epochs?: number | undefined;
}

/** Opens the data of a begun training. */
async function openBegun(
  path: string,
  { data, epochs, device }: GoingOnTraining & { readonly device?: string },
  use: RunPlace['use'],
) {
  const { settings: before, header, from, journal, events } = readTraining(path);
  requireSameVersion(before.version, path);
  const begun = epochs === undefined ? before : { ...before, training: { ...before.training, epochs } };
  const place: RunPlace = { run: path, from, use, data };
  const found = await parseArchitecture(begun.architecture, journal, from, place);
  const { space, architecture } = found;
  const taskHere = taskNow(begun.task, place);
  const opened = await openedNow(taskHere, place, async () =>
    openTraining(
      await dataOf(taskHere, begun),
      device === undefined ? begun.training : { ...begun.training, device },
    ),
  );
  const begin = beginningOf(path, from, begun, opened, space, architecture);
  const build = () => {
    const network = opened.build(space, architecture);
    begin(network);
    return network;
  };
  return { begun, header, place, events, found, opened, build };
}

/**
 * Goes on with a begun training from its last epoch.
 *
 * @param how where the data is now, if not where the settings say; how many epochs it shall have in all, if not as many as
 *   they say; and how the processes meet, where there are several
 * @returns undefined where it was stopped
 * @throws InputError where the version, a file of the user, or the data has changed since (but for the data where only the
 *   evaluation at the end is left); Diverged; ProcessLost
 */
export async function continueTraining(
  path: string,
  watch: TrainingWatch,
  {
    meeting = { timeoutSeconds: PEER_TIMEOUT_SECONDS },
    ...going
  }: GoingOnTraining & { readonly meeting?: MeetingOptions | undefined } = {},
): Promise<TrainedNetwork | undefined> {
  const { begun, header, place, events, found, opened, build } = await openBegun(path, going, 'go on');
  const { data, epochs } = going;
  const { task, settings } = opened;
  if (epochs !== undefined) requireExtensible(settings, epochs, events);
  const dataChecksum = opened.data.checksum();
  const atEnd = dataChecksum === begun.dataChecksum ? {} : { dataChecksum };
  const isTrained = events.filter(({ event }) => event === 'epoch').length >= settings.epochs;
  // An end before further epochs was none.
  const end = isTrained ? events.findLast(({ event }) => event === 'end') : undefined;
  const expected = typeof end?.dataChecksum === 'string' ? end.dataChecksum : begun.dataChecksum;
  if (dataChecksum !== expected) {
    // Once all epochs are done, what is left does not depend on the training data.
    const isElsewhere = data !== undefined;
    if (
      !isTrained ||
      isElsewhere ||
      end !== undefined ||
      checksumOfSignature(signatureText(opened)) !== begun.signature
    )
      requireSameData(expected, dataChecksum, begun.task.data, place);
    watch.message(
      `the data ${begun.task.data} has changed since the training was begun; only the evaluation at its end is left, ` +
        'which is on the data as it is now',
    );
  }
  // A process that was killed early may not have come to this.
  keepCode(path, [found.code, opened.graph]);
  if (!existsSync(signatureFile(path)))
    // The process was killed between the journal and the signature.
    writeFileAtomically(signatureFile(path), signatureText(opened));
  for (const note of opened.data.notes ?? []) watch.message(`note: ${note}`);
  setThreads(begun.threads);
  const identity = identityOf({ ...begun, dataChecksum });
  return together(path, begun, { meeting, going, device: settings.device, identity, watch }, (peers) =>
    trainToEnd<object>({
      folder: path,
      begin: { event: TRAINING, ...header } as JournalEvent,
      build,
      task,
      settings,
      seed: begun.seed,
      judge: (begun.judge ?? 'test') satisfies JudgedPart,
      atEnd,
      signal: watch.signal,
      report: (step) => watch.report(step, settings.epochs),
      epochEnded: watch.epochEnded,
      message: watch.message,
      peers,
      ...(epochs === undefined ? {} : { amended: { event: AMENDED, epochs } }),
    }),
  );
}

/** Does something with the processes of a training, or with none where there is one. @returns undefined where it was stopped */
async function together<T>(
  path: string,
  { processes, threads }: { readonly processes?: ProcessesSettings | undefined; readonly threads: number },
  how: {
    readonly meeting: MeetingOptions;
    readonly going: GoingOnTraining;
    readonly device: string;
    readonly identity: Record<string, Json>;
    readonly watch: TrainingWatch;
  },
  body: (peers: Gathered['peers'] | undefined) => Promise<T>,
): Promise<T | undefined> {
  const { meeting, going, device, identity, watch } = how;
  if (processes === undefined) {
    if (meeting.address !== undefined)
      throw new InputError(`--address: ${path} is trained by one process; allowed with --processes`);
    return body(undefined);
  }
  const gathered = await gatherProcesses({
    program: new URL('../programs/training-process.js', import.meta.url),
    processes,
    meeting,
    threads,
    device,
    init: { path: resolve(path), data: going.data ?? null, epochs: going.epochs ?? null },
    signal: watch.signal,
    message: watch.message,
  });
  if (gathered === undefined) return undefined;
  try {
    requireSameTraining(gathered.peers, identity);
    return await body(gathered.peers);
  } catch (error) {
    throw await gathered.explained(error);
  } finally {
    await gathered.close();
  }
}

/** The courses of the learning rate that depend on the number of epochs. */
const FALLING: Readonly<Record<string, string>> = { cosine: 'half a cosine', poly: 'a power' };

/** @throws InputError where the epochs that are done would have been others in a training of so many */
function requireExtensible(
  { schedule, dropPath = 0 }: OpenedTraining['settings'],
  epochs: number,
  events: readonly JournalEvent[],
): void {
  const done = events.filter(({ event }) => event === 'epoch').length;
  const why =
    FALLING[schedule] !== undefined
      ? `the learning rate falls along ${FALLING[schedule]} over all epochs`
      : dropPath > 0
        ? 'the probability of dropping a path grows over all epochs'
        : undefined;
  const reason =
    why === undefined
      ? epochs <= done
        ? `${done} epochs are done; allowed: more`
        : undefined
      : `${why}, so the epochs that are done would have been others; begin another training`;
  if (reason !== undefined) throw new InputError(`--epochs ${epochs}: ${reason}`);
}

/** What gives a fresh network its starting weights, where the training has some. */
function beginningOf(
  path: string,
  from: string,
  { start }: TrainingRunSettings,
  opened: OpenedTraining,
  space: Space,
  architecture: unknown,
): (network: nn.Module) => void {
  if (start === undefined) return () => {};
  keepStartingWeights(path, resolve(from, start.file), start);
  return startingFrom(startingWeightsFile(path), start, opened, space, architecture);
}
