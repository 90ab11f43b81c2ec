import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { decidingValues } from '../runs/environment-difference.js';
import { openLocalPool } from '../runs/local-pool.js';
import { environmentHere } from '../runs/manifest.js';
import { type DeviceSpace, spaceOf, spaceText } from '../runs/memory-in-use.js';
import type { OpenTrialPool } from '../runs/trial-pool.js';
import { connectRedis } from './connect-redis.js';
import { JoinedRun } from './joined-run.js';
import { OwnParts, readOffer } from './own-parts.js';
import { keysOfRun, NEWS, RUNS, WRITE_TO_RUN } from './queue-keys.js';
import { parsedJson, type WorkerNote } from './queue-message.js';
import type { RedisAddress } from './redis-address.js';

export interface QueueWorkerOptions {
  readonly address: RedisAddress;
  /** Children at a time, of all runs together. */
  readonly slots: number;
  /** Of the children, one after the other and over again; none: that of the training. */
  readonly devices: readonly string[];
  /** The user's files that may be run here. */
  readonly code: readonly string[];
  /** `kind:path` */
  readonly data: readonly string[];
  /** A child whose worker is silent for so long is given to another. */
  readonly leaseSeconds: number;
  /** When it is stopped, children that are being trained may end within so long; the others are given back. */
  readonly graceSeconds: number;
  /** Opens what trains the children here: by default processes of this machine. */
  readonly openPool?: OpenTrialPool;
  say(text: string): void;
}

/** Without a child it asks again after so long, and then less and less often. */
const SHORTEST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

/** How often it looks which runs there are, besides when they say so. */
const REFRESH_EVERY_MS = 5000;

/** A run that Redis does not know any more has ended, unless Redis comes back to it. */
const FORGOTTEN_MS = 30_000;

/** How often it says to a run that it is there. */
const NOTE_EVERY_MS = 10_000;

/** What the end of a worker waits for Redis. */
const END_MS = 5000;

const news = z.object({ run: z.string(), is: z.enum(['begun', 'ended']) });

/** A run that this worker knows of. */
interface KnownRun {
  readonly run: string;
  /** The offer, as it stands in Redis. */
  readonly text: string;
  /** What it takes children of; undefined where it refuses. */
  readonly joined?: JoinedRun;
  readonly refuses?: string;
  forgottenSince?: number;
}

/**
 * Trains children of all runs in a Redis for which this machine has what they need. It runs nothing that a job carries: a job
 * has names, checksums and plain settings, and the code is the worker's own.
 */
export class QueueWorker {
  readonly name = `${hostname()}-${process.pid}-${randomBytes(2).toString('hex')}`;
  readonly #options: QueueWorkerOptions;
  readonly #parts: OwnParts;
  readonly #runs = new Map<string, KnownRun>();
  readonly #environment = decidingValues(environmentHere());
  /** Wakes the loop: a child has ended, a run has begun, or the worker is to stop. */
  #wake = () => {
    this.#isWoken = true;
  };
  #isWoken = false;
  #isStale = true;
  #refreshed = Number.NEGATIVE_INFINITY;
  #noted = Number.NEGATIVE_INFINITY;
  /** Runs take turns. */
  #turn = 0;

  /** @throws InputError for a file that cannot be read */
  constructor(options: QueueWorkerOptions) {
    this.#options = options;
    this.#parts = new OwnParts(options.code, options.data);
  }

  /**
   * Works until it is stopped.
   *
   * @throws InputError where Redis does not answer
   */
  async work(signal: AbortSignal): Promise<void> {
    const { address, slots, say } = this.#options;
    const { client, warnings } = await connectRedis(address, say);
    for (const warning of warnings) say(`note: ${warning}`);
    const listener = client.duplicate();
    listener.on('error', () => {});
    listener.on('message', (_: string, text: string) => this.#hear(text));
    await listener.subscribe(NEWS);
    say(
      `worker ${this.name}: waiting for children from ${address.shown}, ${slots} at a time; Ctrl-C or SIGTERM gives back what is not done`,
    );
    for (const space of this.#memory()) say(spaceText(space));
    const stop = () => this.#wake();
    signal.addEventListener('abort', stop);
    try {
      // A Redis that cannot be reached must not keep the worker from ending.
      await Promise.race([this.#loop(client, signal), untilAborted(signal, END_MS)]);
      await this.#drain();
    } finally {
      signal.removeEventListener('abort', stop);
      await Promise.race([this.#leaveAll(client), sleep(END_MS)]);
      listener.disconnect();
      client.disconnect();
    }
  }

  get #running(): number {
    return [...this.#runs.values()].reduce((sum, { joined }) => sum + (joined?.running ?? 0), 0);
  }

  async #loop(client: Redis, signal: AbortSignal): Promise<void> {
    let wait = SHORTEST_WAIT_MS;
    while (!signal.aborted) {
      try {
        await this.#refresh(client);
        const isBusy = this.#running >= this.#options.slots;
        if (!isBusy && (await this.#takeOne(signal))) {
          wait = SHORTEST_WAIT_MS;
          continue;
        }
        await this.#pause(isBusy ? REFRESH_EVERY_MS : wait);
        wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      } catch (error) {
        // Redis is starting, for example.
        this.#options.say(`Redis: ${(error as Error).message}`);
        await this.#pause(LONGEST_WAIT_MS);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    const waking = new AbortController();
    const wake = this.#wake;
    this.#wake = () => {
      this.#isWoken = true;
      waking.abort();
    };
    if (!this.#isWoken) await sleep(ms, undefined, { signal: waking.signal }).catch(() => {});
    this.#isWoken = false;
    this.#wake = wake;
  }

  /** Takes a child of one of the runs that go first, in turn. @returns false where there is none */
  async #takeOne(signal: AbortSignal): Promise<boolean> {
    const joined = [...this.#runs.values()].flatMap(({ joined: one }) => one ?? []);
    const turn = this.#turn++;
    const inTurn = joined.map((_, place) => joined[(place + turn) % joined.length] as JoinedRun);
    for (const run of inTurn.toSorted((a, b) => b.offer.priority - a.offer.priority)) {
      const job = await run.take();
      if (job === undefined) continue;
      if (signal.aborted) {
        await job.moveToWait(String(job.token));
        return false;
      }
      void run
        .train(job)
        .catch((error) => this.#refuse(run, error))
        .finally(() => this.#wake());
      return true;
    }
    return false;
  }

  #refuse(run: JoinedRun, error: Error): void {
    const { run: id } = run.offer;
    const known = this.#runs.get(id);
    if (known?.joined !== run) return;
    this.#runs.set(id, { run: id, text: known.text, refuses: error.message });
    this.#noted = Number.NEGATIVE_INFINITY;
    void run.leave();
  }

  #hear(text: string): void {
    const heard = news.safeParse(parsedJson(text));
    if (!heard.success) return;
    const { run, is } = heard.data;
    if (is === 'ended') void this.#forget(run, 'has ended');
    else this.#isStale = true;
    this.#wake();
  }

  async #forget(run: string, why: string): Promise<void> {
    const known = this.#runs.get(run);
    if (known === undefined) return;
    this.#runs.delete(run);
    if (known.joined === undefined) return;
    this.#options.say(`run ${run}: ${why}`);
    await known.joined.leave();
  }

  /** Joins the runs that have begun, leaves those that have ended, and says to all that this worker is there. */
  async #refresh(client: Redis): Promise<void> {
    const now = performance.now();
    if (this.#isStale || now - this.#refreshed >= REFRESH_EVERY_MS) {
      this.#isStale = false;
      this.#refreshed = now;
      await this.#lookAtRuns(client);
    }
    if (now - this.#noted >= NOTE_EVERY_MS) {
      this.#noted = now;
      for (const known of this.#runs.values()) await this.#note(client, known);
    }
  }

  async #lookAtRuns(client: Redis): Promise<void> {
    const ids = await client.smembers(RUNS);
    for (const run of ids) {
      const text = await client.get(keysOfRun(run).offer);
      if (text === null) continue;
      const known = this.#runs.get(run);
      if (known !== undefined) delete known.forgottenSince;
      if (known?.text === text) continue;
      if (known !== undefined) await this.#forget(run, 'goes on with other settings');
      const met = await this.#meet(client, run, text);
      this.#runs.set(run, met);
      await this.#note(client, met);
    }
    for (const known of [...this.#runs.values()]) {
      if (ids.includes(known.run)) continue;
      known.forgottenSince ??= performance.now();
      if (performance.now() - known.forgottenSince >= FORGOTTEN_MS)
        await this.#forget(known.run, 'is gone from Redis');
    }
  }

  async #meet(client: Redis, run: string, text: string): Promise<KnownRun> {
    const { slots, devices, leaseSeconds, openPool = openLocalPool, say } = this.#options;
    try {
      const offer = readOffer(text);
      if (offer.run !== run) throw new InputError('its offer is that of another run');
      const joined = await JoinedRun.join(offer, {
        ...{ client, worker: this.name, parts: this.#parts, slots, devices, leaseSeconds, openPool, say },
      });
      say(`run ${run}: training children of space ${offer.init.space} on ${offer.data.name}`);
      return { run, text, joined };
    } catch (error) {
      const refuses = (error as Error).message;
      say(`run ${run}: not taken: ${refuses}`);
      return { run, text, refuses };
    }
  }

  async #note(client: Redis, { run, refuses }: KnownRun): Promise<void> {
    const [seconds] = await client.time();
    const note: WorkerNote = {
      slots: this.#options.slots,
      ...(refuses === undefined ? {} : { refuses }),
      environment: this.#environment,
      ...(refuses === undefined ? { memory: this.#memory() } : {}),
      at: Number(seconds),
    };
    const { offer, workers } = keysOfRun(run);
    await client.eval(WRITE_TO_RUN, 2, offer, workers, this.name, JSON.stringify(note));
  }

  /** What the devices of the children have now; those of which nobody knows it are left out. */
  #memory(): DeviceSpace[] {
    const { devices } = this.#options;
    return spaceOf(devices.length === 0 ? ['cpu'] : devices);
  }

  /** Waits a while for the children that are being trained, and gives the others back. */
  async #drain(): Promise<void> {
    const { graceSeconds, say } = this.#options;
    const deadline = performance.now() + graceSeconds * 1000;
    const waits = this.#running;
    if (waits > 0) say(`stopping: ${waits} being trained may end within ${graceSeconds} s`);
    while (this.#running > 0 && performance.now() < deadline) await this.#pause(deadline - performance.now());
    const back = this.#running;
    if (back === 0) return;
    say(`giving ${back} back`);
    const given = [...this.#runs.values()].map(({ joined }) => joined?.giveBack());
    await Promise.race([Promise.all(given), sleep(END_MS)]);
  }

  async #leaveAll(client: Redis): Promise<void> {
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    await Promise.all(runs.map(({ joined }) => joined?.leave()));
    // A Redis that cannot be reached finds out by itself.
    if (client.status !== 'ready') return;
    for (const { run } of runs) await client.hdel(keysOfRun(run).workers, this.name);
  }
}

/** Resolves some time after a signal. */
function untilAborted(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const wait = () => void sleep(ms, undefined, { ref: false }).then(resolve);
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true });
  });
}
