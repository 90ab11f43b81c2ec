import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { FolderStore } from '../runs/checkpoint-store.js';
import type { WorkerSettings } from '../runs/child-message.js';
import type { TrialRequest } from '../runs/estimator.js';
import { failureOf } from '../runs/failure.js';
import { type Outcome, parseOutcome } from '../runs/outcome.js';
import { runIdOf } from '../runs/run-id.js';
import type { OpenTrialPool, TrialPool } from '../runs/trial-pool.js';
import type { OwnParts } from './own-parts.js';
import { CHILDREN, keysOfRun, lockOf, prefixOf, WRITE_TO_RUN } from './queue-keys.js';
import { type ChildJob, type ChildResult, childJob, type Offer } from './queue-message.js';

export interface JoinedRunOptions {
  readonly client: Redis;
  readonly worker: string;
  readonly parts: OwnParts;
  /** Children of this worker at a time, and their devices, one after the other and over again. */
  readonly slots: number;
  readonly devices: readonly string[];
  /** A child whose worker is silent for so long is given to another. */
  readonly leaseSeconds: number;
  /** Opens what trains the children here. */
  readonly openPool: OpenTrialPool;
  say(text: string): void;
}

/** Processes that have had no child for so long end; the next child starts them again. */
const IDLE_MS = 60_000;

/** How often the progress of a child is told. */
const PROGRESS_EVERY_MS = 1000;

/** How long a result waits for a Redis that was started anew to know the run again. */
const KNOWN_AGAIN_TRIES = 10;

const GIVEN_BACK = Symbol('given back');

/**
 * Renews the lock of a job. One that has run out during an outage is taken again, as long as nobody else has it and the
 * attempt counts.
 */
const RENEW = `
local held = redis.call('GET', KEYS[1])
if held == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return 1
end
if held ~= false then return 0 end
if redis.call('EXISTS', KEYS[3]) == 0 then return 1 end
if redis.call('HGET', KEYS[2], ARGV[3]) ~= ARGV[4] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

/** A run that this worker trains children of. */
export class JoinedRun {
  readonly offer: Offer;
  readonly #options: JoinedRunOptions;
  readonly #queue: Worker<ChildJob>;
  /** Where a process of this worker finds what the run needs. */
  readonly #init: Json;
  readonly #folder: string | undefined;
  readonly #keys;
  readonly #running = new Map<Job<ChildJob>, AbortController>();
  #pool: TrialPool | undefined;
  #idle: NodeJS.Timeout | undefined;

  private constructor(offer: Offer, options: JoinedRunOptions, init: Json, pool: TrialPool) {
    this.offer = offer;
    this.#options = options;
    this.#init = init;
    this.#pool = pool;
    this.#keys = keysOfRun(offer.run);
    this.#folder = isSharedFolder(offer) ? offer.folder : undefined;
    this.#queue = new Worker<ChildJob>(CHILDREN, undefined, {
      connection: options.client,
      prefix: prefixOf(offer.run),
      autorun: false,
      lockDuration: options.leaseSeconds * 1000,
      skipVersionCheck: true,
      name: options.worker,
    });
    // Outages are told by the connection itself.
    this.#queue.on('error', () => {});
    this.#rest();
  }

  /**
   * Joins a run once one process has opened its data and found the same space, task and data.
   *
   * @throws InputError for what this worker lacks, and for what its processes cannot work with
   */
  static async join(offer: Offer, options: JoinedRunOptions): Promise<JoinedRun> {
    let refusal: unknown;
    for (const init of options.parts.initsFor(offer)) {
      const pool = openPool(offer, options, init as unknown as Json);
      try {
        await pool.ready(1);
        return new JoinedRun(offer, options, init as unknown as Json, pool);
      } catch (error) {
        await pool.close();
        refusal = error;
      }
    }
    throw refusal;
  }

  /** Number of children that are being trained. */
  get running(): number {
    return this.#running.size;
  }

  /** Takes the next child, if there is one. */
  async take(): Promise<Job<ChildJob> | undefined> {
    const token = randomBytes(12).toString('hex');
    return (await this.#queue.getNextJob(token, { block: false })) ?? undefined;
  }

  /**
   * Trains a child and hands its result in.
   *
   * @throws InputError where this worker cannot train children of the run any more. The child is given back then
   */
  async train(job: Job<ChildJob>): Promise<void> {
    const { say } = this.#options;
    const stopping = new AbortController();
    this.#running.set(job, stopping);
    clearTimeout(this.#idle);
    const name = `run ${this.offer.run}, ${String(job.id).slice(this.offer.run.length + 1)}`;
    const begun = performance.now();
    try {
      const said = await this.#work(job, stopping);
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      say(`${name}: ${said}, ${seconds} s`);
    } catch (error) {
      if (stopping.signal.reason === GIVEN_BACK) return;
      say(`${name}: ${(error as Error).message}`);
      if (!(error instanceof InputError)) return;
      await job.moveToWait(String(job.token));
      throw error;
    } finally {
      this.#running.delete(job);
      if (this.#running.size === 0) this.#rest();
    }
  }

  /** Gives all children back that are being trained: other workers take them. */
  async giveBack(): Promise<void> {
    await Promise.all(
      [...this.#running].map(async ([job, stopping]) => {
        stopping.abort(GIVEN_BACK);
        await job.moveToWait(String(job.token)).catch(() => {
          // Its lock has run out: it is given to another anyway.
        });
      }),
    );
  }

  /** Ends all of its processes, whatever they are doing. */
  async leave(): Promise<void> {
    for (const stopping of this.#running.values())
      stopping.abort(new Error('the run has ended, or does not need it any more'));
    clearTimeout(this.#idle);
    await Promise.all([this.#pool?.close(), this.#queue.close(true).catch(() => {})]);
  }

  async #work(job: Job<ChildJob>, stopping: AbortController): Promise<string> {
    const lock = String(job.token);
    const read = childJob.safeParse(job.data);
    if (!read.success) {
      const [issue] = read.error.issues;
      const reason = `the job is wrong at '${issue?.path.join('.')}': ${issue?.message}`;
      await job.moveToFailed(new Error(reason), lock);
      return reason;
    }
    const { attempt, token, request, work } = read.data;
    const renewing = setInterval(
      () => void this.#renew(job, read.data, stopping),
      (this.#options.leaseSeconds * 1000) / 3,
    );
    try {
      const outcome = await this.#measure(job, read.data, stopping.signal);
      stopping.signal.throwIfAborted();
      const { trial } = request;
      const result = {
        attempt,
        token,
        trial,
        worker: this.#options.worker,
        outcome,
      } as unknown as ChildResult;
      await this.#handIn(job, lock, result);
      return outcome.status === 'ok' ? `trained ${work} epochs` : `failed: ${outcome.reason}`;
    } finally {
      clearInterval(renewing);
    }
  }

  async #renew(
    job: Job<ChildJob>,
    { attempt, token, request }: ChildJob,
    stopping: AbortController,
  ): Promise<void> {
    const { client, leaseSeconds } = this.#options;
    const keys = [lockOf(this.offer.run, String(job.id)), this.#keys.attempts, this.#keys.offer];
    const counts = JSON.stringify({ attempt, token });
    try {
      const renewed = await client.eval(
        RENEW,
        keys.length,
        ...keys,
        ...[String(job.token), leaseSeconds * 1000, request.trial, counts],
      );
      if (renewed === 0) stopping.abort(new Error('another attempt counts by now'));
    } catch {
      // Redis is starting, for example: the next renewal tries again.
    }
  }

  /** @throws InputError where no process of this worker can work any more, such as for a file that was edited */
  async #measure(job: Job<ChildJob>, { request, work }: ChildJob, signal: AbortSignal): Promise<Outcome> {
    let told = Number.NEGATIVE_INFINITY;
    const progress = (said: Json) => {
      const now = performance.now();
      if (now - told < PROGRESS_EVERY_MS) return;
      told = now;
      job.updateProgress(said as object).catch(() => {
        // Nobody needs it once the job is gone.
      });
    };
    const keeping =
      this.#folder === undefined ? {} : { checkpoints: new FolderStore(this.#folder), keeps: true };
    this.#pool ??= openPool(this.offer, this.#options, this.#init);
    try {
      const measured = await this.#pool.estimate(
        request as TrialRequest,
        { signal, progress, ...keeping },
        work,
      );
      return parseOutcome(measured, this.offer.objectives);
    } catch (error) {
      if (signal.aborted || error instanceof InputError) throw error;
      return failureOf(error);
    }
  }

  /** The result becomes that of the job, or is a late one where the job was taken away meanwhile. */
  async #handIn(job: Job<ChildJob>, lock: string, result: ChildResult): Promise<void> {
    try {
      await job.moveToCompleted(result, lock, false);
      return;
    } catch {
      // It has another lock, or is not there any more.
    }
    const { client } = this.#options;
    for (let tries = 0; tries < KNOWN_AGAIN_TRIES; tries++) {
      const { offer, late } = this.#keys;
      if ((await client.eval(WRITE_TO_RUN, 2, offer, late, JSON.stringify(result))) === 1) return;
      await sleep(1000);
    }
  }

  /** Ends the processes after a while without a child. */
  #rest(): void {
    this.#idle = setTimeout(() => {
      const pool = this.#pool;
      this.#pool = undefined;
      void pool?.close();
    }, IDLE_MS);
    this.#idle.unref();
  }
}

function openPool(offer: Offer, { slots, devices, openPool: open }: JoinedRunOptions, init: Json): TrialPool {
  const { threads, timeoutSeconds, data, objectives } = offer;
  return open({
    module: new URL('../programs/training-worker.js', import.meta.url),
    init,
    workers: Array.from({ length: slots }, (_, slot): WorkerSettings => {
      const device = devices[slot % devices.length];
      return { threads, ...(device === undefined ? {} : { device }) };
    }),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    data,
    objectives,
  });
}

/** Whether the folder of the run is here too, and not just one of the same name. */
function isSharedFolder({ folder, run }: Offer): boolean {
  try {
    return runIdOf(folder) === run;
  } catch {
    return false;
  }
}
