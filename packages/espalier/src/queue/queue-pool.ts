import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { type WorkerInit, workerInit } from '../estimators/worker-init.js';
import type { Json } from '../json.js';
import type { EstimateContext, SearchAtWork, TrialRequest } from '../runs/estimator.js';
import type { Measured, Outcome } from '../runs/outcome.js';
import type { TrialPool, TrialPoolOptions } from '../runs/trial-pool.js';
import { version } from '../version.js';
import { connectRedis } from './connect-redis.js';
import { CHILDREN, jobIdOf, keysOfRun, lockOf, NEWS, prefixOf, RUNS } from './queue-keys.js';
import {
  type Attempt,
  attempt,
  type ChildJob,
  type ChildResult,
  childJob,
  childResult,
  type Offer,
  PROTOCOL,
  parsedJson,
} from './queue-message.js';
import type { RedisAddress } from './redis-address.js';
import { RunClaim } from './run-claim.js';
import { WorkersAtHand } from './workers-at-hand.js';

export interface QueuePoolSettings {
  readonly address: RedisAddress;
  /** Workers take children of runs with a higher one first. */
  readonly priority: number;
  readonly times?: LookTimes;
}

/** When a coordinator looks after its children. All in milliseconds. */
export interface LookTimes {
  /** From one look to the next. */
  readonly every: number;
  /** A child without a worker for so long is given up and begun anew. */
  readonly lostAfter: number;
  /** After an outage workers have so long to find their way back. */
  readonly returnWithin: number;
}

const USUAL_TIMES: LookTimes = { every: 2000, lostAfter: 4000, returnWithin: 15_000 };

/** Attempts at a trial whose workers die, before it has failed: some networks take a machine along. */
const MOST_ATTEMPTS = 5;

/** Late results that are read at a time. */
const LATE_AT_A_TIME = 100;

/** How long the end of a run waits for a Redis that cannot be reached. */
const CLOSE_MS = 5000;

/** A trial that is out. */
interface OutTrial {
  readonly request: TrialRequest;
  readonly work: number;
  readonly progress: (progress: Json) => void;
  readonly resolve: (outcome: Measured) => void;
  /** The attempt that counts; undefined until it is in Redis. */
  current?: Attempt;
  /** Since when its job is with no worker although it should be, or is not in Redis at all. */
  missingSince?: number;
}

/**
 * The coordinator's side: trials are jobs of a queue in Redis, and workers on any machine measure them.
 *
 * BullMQ leases the jobs. Which attempt at a trial counts is ours: each has a token, and a result with another token is a
 * late one. So a worker that was taken for dead changes nothing, and neither does a coordinator that was killed: another
 * process of the same run finds the attempts, and the results that have come meanwhile.
 */
export class QueuePool implements TrialPool {
  notes: readonly string[] = [];
  readonly #options: TrialPoolOptions;
  readonly #settings: QueuePoolSettings;
  readonly #times: LookTimes;
  readonly #out = new Map<number, OutTrial>();
  readonly #byJob = new Map<string, OutTrial>();
  /** What is being removed of trials that have been told. */
  readonly #forgetting = new Map<number, Promise<void>>();
  #client: Redis | undefined;
  #at: AtWork | undefined;
  /** When Redis was last heard of after an outage. */
  #back = Number.NEGATIVE_INFINITY;
  #lastToken = 0;
  #watching: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  constructor(options: TrialPoolOptions, settings: QueuePoolSettings) {
    this.#options = options;
    this.#settings = settings;
    this.#times = settings.times ?? USUAL_TIMES;
  }

  async ready(): Promise<void> {
    const { client, warnings } = await connectRedis(this.#settings.address, (text) => {
      this.#back = performance.now();
      this.#at?.search.message(text);
    });
    this.#client = client;
    this.notes = warnings;
  }

  async begin(search: SearchAtWork): Promise<void> {
    const client = this.#client as Redis;
    const keys = keysOfRun(search.id);
    const claim = new RunClaim(client, keys.coordinator);
    await claim.take(search.folder, (text) => search.message(text));
    const connection = { connection: client, prefix: prefixOf(search.id), skipVersionCheck: true };
    const queue = new Queue<ChildJob, unknown, 'child'>(CHILDREN, {
      ...connection,
      defaultJobOptions: { attempts: 1, removeOnComplete: false, removeOnFail: false },
    });
    const events = new QueueEvents(CHILDREN, { ...connection, connection: client.duplicate() });
    // Outages are told by the connection itself.
    queue.on('error', () => {});
    events.on('error', () => {});
    events.on('completed', ({ jobId, returnvalue }) => this.#settle(jobId, returnvalue));
    events.on('failed', ({ jobId, failedReason }) => void this.#lose(jobId, failedReason));
    events.on('progress', ({ jobId, data }) => this.#byJob.get(jobId)?.progress(data as Json));
    const workers = new WorkersAtHand(client, keys.workers, this.#settings.address.shown, search);
    this.#at = { search, client, keys, claim, queue, events, workers, offer: this.#offerOf(search) };
    await events.waitUntilReady();
    await this.#announce();
    this.#watching = this.#watch();
  }

  async estimate(
    request: TrialRequest,
    { signal, progress }: EstimateContext,
    work: number,
  ): Promise<Measured> {
    const { trial } = request;
    await this.#forgetting.get(trial);
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#out.delete(trial);
        signal.removeEventListener('abort', abort);
      };
      const abort = () => {
        end();
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort);
      const out: OutTrial = {
        request: plain(request),
        work,
        progress,
        resolve: (outcome) => {
          end();
          resolve(outcome);
        },
      };
      this.#out.set(trial, out);
      this.#send(out).catch((error) => this.#atWork.search.fail(error));
    });
  }

  forget(trial: number): void {
    const forgotten = this.#remove(trial)
      .catch(() => {
        // The end of the run removes what is left of it.
      })
      .finally(() => this.#forgetting.delete(trial));
    this.#forgetting.set(trial, forgotten);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const client = this.#client;
    if (client === undefined) return;
    const waited = new AbortController();
    await Promise.race([
      this.#end().catch(() => {}),
      sleep(CLOSE_MS, undefined, { signal: waited.signal }).catch(() => {}),
    ]);
    waited.abort();
    client.disconnect();
  }

  get #atWork(): AtWork {
    if (this.#at === undefined) throw new Error('the search has not begun');
    return this.#at;
  }

  #offerOf({ id, folder }: SearchAtWork): Offer {
    const { init, workers, timeoutSeconds, objectives, data } = this.#options;
    return {
      protocol: PROTOCOL,
      version,
      run: id,
      folder,
      priority: this.#settings.priority,
      threads: workers[0]?.threads ?? 1,
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      objectives,
      data,
      init: workerInit.parse(init) as WorkerInit,
    };
  }

  /** Says to all workers what there is to do; also after Redis has lost it. */
  async #announce(): Promise<void> {
    const { client, keys, offer } = this.#atWork;
    const text = JSON.stringify(offer);
    if ((await client.get(keys.offer)) === text && (await client.sismember(RUNS, offer.run)) === 1) return;
    await client.set(keys.offer, text);
    await client.sadd(RUNS, offer.run);
    await client.publish(NEWS, JSON.stringify({ run: offer.run, is: 'begun' }));
  }

  /** Takes a trial up where an earlier life of the run has left it, or begins it. */
  async #send(out: OutTrial): Promise<void> {
    const { client, keys, queue, search } = this.#atWork;
    const { trial } = out.request;
    const known = await client.hget(keys.attempts, `${trial}`);
    if (known === null) return this.#attempt(out, 1);
    const before = attempt.parse(JSON.parse(known));
    const id = jobIdOf(search.id, trial, before.attempt);
    const job = await queue.getJob(id);
    if (job === undefined) return this.#add(out, before);
    const data = childJob.safeParse(job.data);
    const isSame = data.success && isDeepStrictEqual(data.data.request, out.request);
    if (!isSame) {
      await queue.remove(id);
      return this.#attempt(out, before.attempt + 1);
    }
    this.#follow(out, before);
    await this.#lookUp(out);
  }

  /** Begins another attempt. The ones before it do not count any more. */
  async #attempt(out: OutTrial, number: number): Promise<void> {
    const { client, keys } = this.#atWork;
    const counted = await client.incr(keys.tokens);
    const token = Math.max(counted, this.#lastToken + 1);
    this.#lastToken = token;
    // Redis was started anew without its data: tokens must not be given a second time.
    if (token !== counted) await client.set(keys.tokens, token);
    await this.#add(out, { attempt: number, token });
  }

  async #add(out: OutTrial, current: Attempt): Promise<void> {
    const { client, keys, queue, search } = this.#atWork;
    const { request, work } = out;
    const jobId = jobIdOf(search.id, request.trial, current.attempt);
    this.#follow(out, current);
    await client.hset(keys.attempts, `${request.trial}`, JSON.stringify(current));
    // A child that is begun anew goes first: others may wait for its result.
    await queue.add(
      'child',
      { ...current, request: request as ChildJob['request'], work },
      {
        jobId,
        lifo: current.attempt > 1,
      },
    );
  }

  #follow(out: OutTrial, current: Attempt): void {
    const { trial } = out.request;
    out.current = current;
    delete out.missingSince;
    this.#byJob.set(jobIdOf(this.#atWork.search.id, trial, current.attempt), out);
  }

  /** A worker has reported. */
  #settle(jobId: string, value: unknown): void {
    const out = this.#byJob.get(jobId);
    if (out?.current === undefined) return;
    const result = childResult.safeParse(value);
    if (!result.success) {
      void this.#lose(jobId, 'a worker sent no valid result');
      return;
    }
    if (result.data.token === out.current.token) this.#accept(out, result.data);
  }

  #accept(out: OutTrial, { outcome, worker, attempt: made }: ChildResult): void {
    this.#stopFollowing(out);
    const { clock, ...rest } = outcome as Outcome;
    out.resolve({ ...rest, clock: { ...clock, worker, attempt: made } } as Outcome);
  }

  #stopFollowing({ request: { trial }, current }: OutTrial): void {
    if (current !== undefined) this.#byJob.delete(jobIdOf(this.#atWork.search.id, trial, current.attempt));
  }

  /** An attempt has come to nothing. */
  async #lose(jobId: string, reason: string): Promise<void> {
    const out = this.#byJob.get(jobId);
    if (out?.current === undefined) return;
    const { search, queue } = this.#atWork;
    const { trial } = out.request;
    const { attempt: made } = out.current;
    this.#stopFollowing(out);
    delete out.current;
    if (made >= MOST_ATTEMPTS) {
      out.resolve({ status: 'failed', reason: `given up after ${made} attempts: ${reason}` });
      return;
    }
    search.message(`trial ${trial}: ${reason}; attempt ${made + 1} of ${MOST_ATTEMPTS}`);
    try {
      await queue.remove(jobId);
      await this.#attempt(out, made + 1);
    } catch (error) {
      if (!this.#closing.signal.aborted) search.fail(error as Error);
    }
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await sleep(this.#times.every, undefined, { signal });
        await this.#look();
      } catch (error) {
        if (signal.aborted) return;
        this.#atWork.search.message(`Redis: ${(error as Error).message}`);
      }
    }
  }

  async #look(): Promise<void> {
    const { claim, search, client, workers } = this.#atWork;
    if (!(await claim.renew())) {
      search.fail(new Error(`${search.folder}: another process coordinates this run now`));
      return;
    }
    await this.#announce();
    await this.#readLate();
    const out = [...this.#out.values()].filter(({ current }) => current !== undefined);
    const locks = client.pipeline();
    for (const { request, current } of out)
      locks.exists(lockOf(search.id, jobIdOf(search.id, request.trial, (current as Attempt).attempt)));
    const held = (await locks.exec()) ?? [];
    for (const [place, one] of out.entries()) {
      if (held[place]?.[1] === 1) delete one.missingSince;
      else await this.#lookUp(one);
    }
    await workers.look();
  }

  /** Looks after a trial that no worker holds: its event may have been missed, or its worker may have died. */
  async #lookUp(out: OutTrial): Promise<void> {
    const { current } = out;
    if (current === undefined) return;
    const { queue, search } = this.#atWork;
    const id = jobIdOf(search.id, out.request.trial, current.attempt);
    const job = await queue.getJob(id);
    const state = await queue.getJobState(id);
    if (out.current !== current) return;
    switch (state) {
      case 'completed':
        this.#settle(id, job?.returnvalue);
        return;
      case 'failed':
        await this.#lose(id, job?.failedReason ?? 'failed');
        return;
      case 'active':
        if (this.#isMissing(out)) await this.#lose(id, 'its worker is gone');
        return;
      case 'unknown':
        // Redis has lost it.
        if (this.#isMissing(out)) await this.#add(out, current);
        return;
      default:
        delete out.missingSince;
    }
  }

  #isMissing(out: OutTrial): boolean {
    const now = performance.now();
    out.missingSince ??= now;
    const { lostAfter, returnWithin } = this.#times;
    return now - out.missingSince >= lostAfter && now - this.#back >= returnWithin;
  }

  /** Takes results that workers could not hand in, because their attempts had been given up. */
  async #readLate(): Promise<void> {
    const { client, keys, search } = this.#atWork;
    for (;;) {
      const texts = (await client.lpop(keys.late, LATE_AT_A_TIME)) ?? [];
      for (const text of texts) {
        const result = childResult.safeParse(parsedJson(text));
        if (!result.success) {
          search.message(`a worker sent a late result that is none: ${result.error.issues[0]?.message}`);
          continue;
        }
        const { trial, token, outcome } = result.data;
        const out = this.#out.get(trial);
        if (out?.current?.token === token) this.#accept(out, result.data);
        else search.late(trial, outcome);
      }
      if (texts.length < LATE_AT_A_TIME) return;
    }
  }

  async #remove(trial: number): Promise<void> {
    const { client, keys, queue, search } = this.#atWork;
    const known = await client.hget(keys.attempts, `${trial}`);
    if (known === null) return;
    await client.hdel(keys.attempts, `${trial}`);
    const { attempt: made } = attempt.parse(JSON.parse(known));
    for (let number = 1; number <= made; number++) await queue.remove(jobIdOf(search.id, trial, number));
  }

  /** Takes the run out of Redis: what is out is of no use any more, and workers stop it. */
  async #end(): Promise<void> {
    const at = this.#at;
    if (at === undefined) return;
    const { claim, client, keys, queue, events, search } = at;
    await this.#watching;
    await Promise.all(this.#forgetting.values());
    // What belongs to another coordinator by now is left alone.
    if (await claim.renew()) {
      await client.srem(RUNS, search.id);
      await client.publish(NEWS, JSON.stringify({ run: search.id, is: 'ended' }));
      await queue.obliterate({ force: true });
      await client.del(keys.offer, keys.attempts, keys.tokens, keys.late, keys.workers);
      await claim.release();
    }
    await events.close();
    await queue.close();
  }
}

/** What there is once the search is at work. */
interface AtWork {
  readonly search: SearchAtWork;
  readonly client: Redis;
  readonly keys: ReturnType<typeof keysOfRun>;
  readonly claim: RunClaim;
  readonly queue: Queue<ChildJob, unknown, 'child'>;
  readonly events: QueueEvents;
  readonly workers: WorkersAtHand;
  readonly offer: Offer;
}

/** A request as Redis will give it back. */
function plain(request: TrialRequest): TrialRequest {
  return JSON.parse(JSON.stringify(request)) as TrialRequest;
}
