import { invoke, Operator } from './dispatcher.js';
import { native } from './native.js';
import { scope } from './scope.js';
import { fromTypedArray, Tensor } from './tensor.js';

/** Where the processes of a group find each other: a file that all of them see, or a port of one of them. */
export type MeetingPlace =
  | { readonly file: string }
  | {
      readonly host: string;
      /** 0: any that is free, for the process that serves. */
      readonly port: number;
      /** Whether this is the process that the others find the group by. */
      readonly serves: boolean;
    };

/** Another process of the group has ended, or does not answer within the group's limit. The group is of no use any more. */
export class PeerLost extends Error {
  override readonly name = 'PeerLost';
}

/** How the addon says so, also in the middle of a forward or backward pass. */
const LOST = 'another process of the group has ended or is out of reach';

/** Makes a loss of a peer one that can be told from other errors. */
function together<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    const { message } = error as Error;
    const at = message?.indexOf(LOST) ?? -1;
    throw at < 0 ? error : new PeerLost(message.slice(at), { cause: error });
  }
}

/** A place where processes meet to become a group. A process is at one at most. */
export class Meeting {
  private constructor(
    /** Of a meeting at a port. */
    readonly port: number,
    readonly timeoutSeconds: number,
  ) {}

  /**
   * Opens the place, or goes to it.
   *
   * @param timeoutSeconds how long to wait for another process, here and in every collective
   * @throws Error where nobody serves the place within this time, and where this libtorch was built without gloo
   */
  static at(place: MeetingPlace, timeoutSeconds: number): Meeting {
    const milliseconds = Math.ceil(timeoutSeconds * 1000);
    const port =
      'file' in place
        ? native.openStore(place.file, '', 0, false, milliseconds)
        : native.openStore(null, place.host, place.port, place.serves, milliseconds);
    return new Meeting(port, timeoutSeconds);
  }

  /** Says that a process is here. */
  announce(rank: number): void {
    native.storeSet(`here/${rank}`, '1');
  }

  /** Whether all of these processes are here. */
  areHere(ranks: readonly number[]): boolean {
    return native.storeHas(ranks.map((rank) => `here/${rank}`));
  }

  /**
   * Makes a group of the processes that are here, all of which call this.
   *
   * @param rank this process among them, from 0
   * @param address a name or number of this machine by which the others reach it
   * @param device of this process
   */
  join(rank: number, size: number, address: string, device = 'cpu'): ProcessGroup {
    const milliseconds = Math.ceil(this.timeoutSeconds * 1000);
    return new ProcessGroup(rank, size, native.joinGroup(rank, size, address, milliseconds, device));
  }

  /** Leaves the place, and the group that it became. */
  leave(): void {
    native.leaveGroup();
  }
}

let whole = false;

/**
 * Processes that compute together, by libtorch's collectives. Each of them calls the same methods in the same order.
 * A call waits for the others, and blocks the thread.
 */
export class ProcessGroup {
  constructor(
    readonly rank: number,
    readonly size: number,
    /**
     * What exchanges tensors on GPUs: NCCL, where each process has a GPU of its own and libtorch and its headers have NCCL;
     * gloo, through the host's memory, otherwise. Those on the CPU are always exchanged by gloo.
     */
    readonly collectives: 'gloo' | 'nccl',
  ) {}

  /** Replaces the values of each tensor by their sums over all processes, to the same bits in each. @throws PeerLost */
  allReduce(tensors: readonly Tensor[]): void {
    together(() => native.allReduce(tensors.map((tensor) => tensor.handle)));
  }

  /** Replaces the values of each tensor by those in one process. @throws PeerLost */
  broadcast(tensors: readonly Tensor[], root = 0): void {
    together(() =>
      native.broadcast(
        tensors.map((tensor) => tensor.handle),
        root,
      ),
    );
  }

  /** Numbers, summed over all processes. @throws PeerLost */
  sums(numbers: readonly number[]): number[] {
    return scope(() => {
      const values = fromTypedArray(Float64Array.from(numbers), [numbers.length]);
      this.allReduce([values]);
      return values.toNumbers();
    });
  }

  /** The text of one process; what the others give is not read. @throws PeerLost */
  broadcastText(text: string, root = 0): string {
    return scope(() => {
      const bytes = new TextEncoder().encode(this.rank === root ? text : '');
      const length = fromTypedArray(BigInt64Array.of(BigInt(bytes.length)), [1]);
      this.broadcast([length], root);
      const count = length.item();
      const values = fromTypedArray(this.rank === root ? bytes : new Uint8Array(count), [count]);
      this.broadcast([values], root);
      return new TextDecoder().decode(values.toTypedArray() as Uint8Array);
    });
  }

  /** Waits until all processes have come to it. @throws PeerLost */
  barrier(): void {
    together(() => native.barrier());
  }

  /**
   * Runs `body`, a step with its backward pass, in which batch norms normalise by the batches of all processes together
   * (synchronised batch norm). The gradients are those of the sum of all processes' losses with respect to the values of
   * this process.
   *
   * @throws PeerLost
   */
  withWholeBatches<T>(body: () => T): T {
    const before = native.synchroniseNorms(true);
    const outer = whole;
    whole = true;
    try {
      return together(body);
    } finally {
      whole = outer;
      native.synchroniseNorms(before);
    }
  }
}

const operator = new Operator('espalier::all_reduce', '');

/** Whether batch norms normalise by the batches of several processes. */
export function hasWholeBatches(): boolean {
  return whole;
}

/** The sums of the values over all processes of the group, which can be differentiated. */
export function allReduced(values: Tensor): Tensor {
  return new Tensor(invoke(operator, values.handle) as number);
}
