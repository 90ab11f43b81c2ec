import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Meeting, PeerLost } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { Child, ChildDeath } from '../runs/child.js';
import type { Part, Task } from '../tasks/task.js';
import { Peers } from '../training/peers.js';

/** How many processes train one network, each a part of every batch. */
export const processesSettings = z.strictObject({
  count: z.int().min(2),
  /** Whether batch norms normalise by whole batches, as one process would. */
  syncBatchNorm: z.boolean(),
});

export type ProcessesSettings = z.infer<typeof processesSettings>;

/** A port of the first process, where those on other machines find it. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** How processes find each other. */
export interface MeetingOptions {
  /** Missing: all are on this machine, and the first one starts the others. */
  readonly address?: Address | undefined;
  /** How long a process waits for another that does not answer. */
  readonly timeoutSeconds: number;
}

/** How long processes wait for each other: as long as libtorch's own do by default. */
export const PEER_TIMEOUT_SECONDS = 1800;

/** A training of many processes that has lost one of them. */
export class ProcessLost extends Error {
  override readonly name = 'ProcessLost';
}

/** Inputs that each process has of a batch at least: batch norm needs two. */
const LEAST_INPUTS = 2;

/** @throws InputError for data whose smallest batch is too small for so many processes, and for a task that has no parts */
export function requireShares(
  task: Task<object>,
  batchSize: number,
  { count }: ProcessesSettings,
  parts: readonly Part[] = ['train'],
): void {
  if (task.shares !== true)
    throw new InputError(
      `--processes ${count}: this task cannot give several processes their parts of a batch (its pass takes no share)`,
    );
  for (const part of parts) {
    const inputs = task.count(part);
    // A task may leave inputs out of a pass that do not fill a batch.
    const isFilled = task.batchCount(part, batchSize) * batchSize <= inputs;
    const last = !task.independentBatches || isFilled ? batchSize : inputs % batchSize;
    const least = task.independentBatches ? LEAST_INPUTS * count : count;
    if (last < least)
      throw new InputError(
        `--processes ${count}: the smallest batch of the ${part} data has ${last} inputs, and that many processes need ` +
          `${least}; choose another --batch-size or --limit`,
      );
  }
}

/** What the program of a process on this machine is told. */
export interface ProcessInit {
  /** The run. */
  readonly path: string;
  readonly data: string | null;
  readonly epochs: number | null;
  /** The file where the processes meet. */
  readonly file: string;
  readonly processes: ProcessesSettings;
  readonly timeoutSeconds: number;
}

/** The processes that have come together with this one, the first of them. */
export interface Gathered {
  readonly peers: Peers;
  /** What has ended the others, where an error says that they were lost. @returns the same error where it says something else */
  explained(error: unknown): Promise<unknown>;
  close(): Promise<void>;
}

export interface Gathering {
  /** The program of the others on this machine. */
  readonly program: URL;
  readonly processes: ProcessesSettings;
  readonly meeting: MeetingOptions;
  /** Of each process on this machine. */
  readonly threads: number;
  readonly device: string;
  readonly init: Pick<ProcessInit, 'path' | 'data' | 'epochs'>;
  readonly signal: AbortSignal;
  message(text: string): void;
}

/** `cuda` is another GPU in each process of a machine. */
const deviceOf = (device: string, rank: number): string => (device === 'cuda' ? `cuda:${rank}` : device);

/**
 * Brings the processes of a training together, in the first of them.
 *
 * @returns undefined where it was stopped while it waited
 * @throws InputError where they do not come, or cannot work
 */
export async function gatherProcesses(gathering: Gathering): Promise<Gathered | undefined> {
  return gathering.meeting.address === undefined
    ? gatherHere(gathering)
    : gatherFromMachines(gathering, gathering.meeting.address);
}

const ranksAfterFirst = ({ count }: ProcessesSettings) =>
  Array.from({ length: count - 1 }, (_, index) => index + 1);

async function gatherHere({
  processes,
  meeting,
  threads,
  device,
  init,
  program,
}: Gathering): Promise<Gathered> {
  const { timeoutSeconds } = meeting;
  const folder = mkdtempSync(join(tmpdir(), 'espalier-'));
  const file = join(folder, 'meeting');
  const told: ProcessInit = { ...init, file, processes, timeoutSeconds };
  const children = ranksAfterFirst(processes).map(
    (rank) =>
      new Child(
        {
          module: program,
          init: told as unknown as Json,
        },
        { threads, device: deviceOf(device, rank) },
      ),
  );
  const ends: string[] = [];
  const close = async () => {
    for (const child of children) child.kill();
    await Promise.all(children.map((child) => child.gone));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all(children.map((child) => child.ready));
    const place = Meeting.at({ file }, timeoutSeconds);
    for (const [index, child] of children.entries())
      child
        .run({ trial: index + 1 }, () => {})
        .then(
          (outcome) => {
            const { reason } = (outcome ?? {}) as { readonly reason?: string };
            if (reason !== undefined) ends.push(`process ${index + 1} has failed: ${reason}`);
          },
          (death: ChildDeath) => ends.unshift(`process ${index + 1} was lost: ${death.message}`),
        );
    const group = place.join(0, processes.count, '127.0.0.1', device);
    const peers = new Peers(group, processes.syncBatchNorm);
    return {
      peers,
      explained: (error) => explainedBy(error, init.path, ends),
      async close() {
        place.leave();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error instanceof ChildDeath
      ? new Error(`a process could not start: ${error.message}\n${error.output}`)
      : error;
  }
}

const LOOKS_EVERY_MS = 100;

async function gatherFromMachines(
  { processes, meeting, device, signal, init, message }: Gathering,
  { host, port }: Address,
): Promise<Gathered | undefined> {
  const { timeoutSeconds } = meeting;
  const place = meetAt({ host, port, serves: true }, timeoutSeconds);
  const ranks = ranksAfterFirst(processes);
  message(
    `waiting at ${host}:${place.port} for ${ranks.length} more: the same command with --rank 1${ranks.length > 1 ? ` to ${ranks.length}` : ''}`,
  );
  const begun = performance.now();
  while (!place.areHere(ranks)) {
    if (signal.aborted) {
      place.leave();
      return undefined;
    }
    if (performance.now() - begun > timeoutSeconds * 1000) {
      const missing = ranks.filter((rank) => !place.areHere([rank]));
      place.leave();
      throw new InputError(
        `--address ${host}:${port}: after ${timeoutSeconds} seconds nobody is here with --rank ${missing.join(', ')}; ` +
          `go on with: espalier resume ${init.path} --address ${host}:${port}`,
      );
    }
    await sleep(LOOKS_EVERY_MS);
  }
  const peers = new Peers(place.join(0, processes.count, host, device), processes.syncBatchNorm);
  return {
    peers,
    explained: (error) => explainedBy(error, init.path, []),
    async close() {
      place.leave();
    },
  };
}

/**
 * Joins the processes of a training that the first one leads from another machine, does something with them, and leaves.
 *
 * @throws InputError where nobody leads it there; ProcessLost
 */
export async function joinFromMachine(
  {
    processes,
    rank,
    timeoutSeconds,
    device,
  }: {
    readonly processes: ProcessesSettings;
    readonly rank: number;
    readonly timeoutSeconds: number;
    readonly device: string;
  },
  { host, port }: Address,
  body: (peers: Peers) => void,
): Promise<void> {
  const place = meetAt({ host, port, serves: false }, timeoutSeconds);
  try {
    place.announce(rank);
    const address = await ownAddress(host, port);
    body(new Peers(place.join(rank, processes.count, address, device), processes.syncBatchNorm));
  } catch (error) {
    throw error instanceof PeerLost
      ? new ProcessLost(
          `${error.message}; the first process says how to go on, and this command joins it again`,
        )
      : error;
  } finally {
    place.leave();
  }
}

function meetAt(place: Address & { readonly serves: boolean }, timeoutSeconds: number): Meeting {
  try {
    return Meeting.at(place, timeoutSeconds);
  } catch (error) {
    throw new InputError(`--address ${place.host}:${place.port}: ${(error as Error).message.split('\n')[0]}`);
  }
}

/** The address of this machine on the way to another. */
async function ownAddress(host: string, port: number): Promise<string> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      // This sends nothing: the system looks up the way.
      socket.connect(port, host, resolve);
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}

/** How long the end of a process may take to be known after its connection was closed. */
const KNOWN_WITHIN_MS = 2000;

async function explainedBy(error: unknown, path: string, ends: readonly string[]): Promise<unknown> {
  if (!(error instanceof PeerLost)) return error;
  for (let waited = 0; ends.length === 0 && waited < KNOWN_WITHIN_MS; waited += LOOKS_EVERY_MS)
    await sleep(LOOKS_EVERY_MS);
  return new ProcessLost(
    `${ends[0] ?? error.message}. All epochs that are done are kept; go on with: espalier resume ${path}`,
    { cause: error },
  );
}
