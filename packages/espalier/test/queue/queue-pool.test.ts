import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type Job, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { WorkerInit } from '../../src/estimators/worker-init.js';
import type { Json } from '../../src/json.js';
import { accuracy } from '../../src/measures/accuracy.js';
import { connectRedis } from '../../src/queue/connect-redis.js';
import { CHILDREN, jobIdOf, keysOfRun, prefixOf, RUNS } from '../../src/queue/queue-keys.js';
import type { ChildJob, ChildResult } from '../../src/queue/queue-message.js';
import { QueuePool } from '../../src/queue/queue-pool.js';
import { redisAddress } from '../../src/queue/redis-address.js';
import type { TrialRequest } from '../../src/runs/estimator.js';
import { thisProcess } from '../../src/runs/process-identity.js';
import { describeWithRedis, RedisServer, until } from './redis-server.js';

let redis: RedisServer;
const closing: (() => Promise<unknown> | unknown)[] = [];

const init: WorkerInit = {
  space: 'zoph-cnn',
  spaceOptions: {},
  task: { name: 'image-classification', data: 'mnist', seed: 1 },
  training: { epochs: 2 },
  folder: '/',
};

/** A coordinator of a run, with what it says. It looks after its children twenty times a second. */
async function coordinator(run: string, times = {}) {
  const pool = new QueuePool(
    {
      module: 'none',
      init: init as unknown as Json,
      workers: [{ threads: 1 }],
      data: { name: 'mnist', checksum: 'abc' },
      objectives: [accuracy],
    },
    {
      address: redisAddress(redis.url),
      priority: 0,
      times: { every: 50, lostAfter: 200, returnWithin: 0, ...times },
    },
  );
  const said: string[] = [];
  const late: unknown[] = [];
  const failures: Error[] = [];
  closing.push(() => pool.close());
  await pool.ready();
  const begin = () =>
    pool.begin({
      id: run,
      folder: `/runs/${run}`,
      message: (text) => said.push(text),
      late: (trial, outcome) => late.push([trial, outcome]),
      fail: (error) => failures.push(error),
    });
  return { pool, said, late, failures, begin };
}

/** A worker that does what the test says, instead of training. @param lease in milliseconds */
function hands(run: string, lease = 30_000) {
  const client = new Redis(redis.port, '127.0.0.1', { maxRetriesPerRequest: null });
  client.on('error', () => {});
  const worker = new Worker<ChildJob>(CHILDREN, undefined, {
    ...{ connection: client, prefix: prefixOf(run), autorun: false, skipVersionCheck: true },
    lockDuration: lease,
  });
  worker.on('error', () => {});
  closing.push(async () => {
    await worker.close(true);
    client.disconnect();
  });
  return {
    client,
    async take(): Promise<Job<ChildJob>> {
      for (;;) {
        const job = await worker.getNextJob(randomBytes(4).toString('hex'), { block: false });
        if (job !== undefined) return job;
        await setTimeout(10);
      }
    },
  };
}

const resultOf = ({ data }: Job<ChildJob>, value: number): ChildResult => ({
  ...{ attempt: data.attempt, token: data.token, trial: data.request.trial, worker: 'hands' },
  outcome: { status: 'ok', measures: { accuracy: value } },
});
const finish = (job: Job<ChildJob>, value: number) =>
  job.moveToCompleted(resultOf(job, value), String(job.token), false);

const request = (trial: number): TrialRequest => ({ trial, answers: [1, [0, 2]], seed: 7 + trial });
const context = (signal = new AbortController().signal) => ({ signal, progress: (_: Json) => {} });
const newRun = () => randomBytes(8).toString('hex');

describeWithRedis('trials as jobs in Redis', () => {
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    expect(await keys()).toEqual([]);
  });
  afterAll(() => redis?.stop());

  async function keys(): Promise<string[]> {
    const client = new Redis(redis.port);
    const found = await client.keys('*');
    client.disconnect();
    return found;
  }

  it('are given to a worker as names, settings and a token, and told with their progress', async () => {
    const run = newRun();
    const { pool, begin } = await coordinator(run);
    await begin();
    const { take, client } = hands(run);
    expect(await client.smembers(RUNS)).toEqual([run]);
    const offer = JSON.parse((await client.get(keysOfRun(run).offer)) as string);
    expect(offer).toMatchObject({
      run,
      protocol: 1,
      threads: 1,
      priority: 0,
      init,
      data: { checksum: 'abc' },
    });
    const progress: Json[] = [];
    const outcome = pool.estimate(
      request(3),
      { ...context(), progress: (said) => void progress.push(said) },
      2,
    );
    const job = await take();
    expect(job.id).toBe(`${run}-t3-a1`);
    expect(job.data).toEqual({ attempt: 1, token: 1, request: request(3), work: 2 });
    await job.updateProgress({ epoch: 1 });
    await until(() => progress.length > 0);
    expect(progress).toEqual([{ epoch: 1 }]);
    await finish(job, 0.5);
    expect(await outcome).toEqual({
      ...{ status: 'ok', measures: { accuracy: 0.5 }, clock: { worker: 'hands', attempt: 1 } },
    });
    // It is kept until it is in the journal, in case that this process is killed before.
    expect(await client.hget(keysOfRun(run).attempts, '3')).toBe('{"attempt":1,"token":1}');
    pool.forget(3);
    await until(async () => (await client.exists(`${prefixOf(run)}:${CHILDREN}:${job.id}`)) === 0);
    expect(await client.hlen(keysOfRun(run).attempts)).toBe(0);
  });

  it('whose worker is gone are begun anew, and a late result is compared, not counted', async () => {
    const run = newRun();
    const { pool, said, late, begin } = await coordinator(run);
    await begin();
    const { take, client } = hands(run, 200);
    const outcome = pool.estimate(request(0), context(), 1);
    const first = await take();
    const second = await take();
    expect([first.id, second.id]).toEqual([jobIdOf(run, 0, 1), jobIdOf(run, 0, 2)]);
    expect(second.data).toEqual({ ...first.data, attempt: 2, token: 2 });
    expect(said).toEqual(['trial 0: its worker is gone; attempt 2 of 5']);
    // The first worker cannot hand its result in as that of the job any more.
    await expect(finish(first, 0.25)).rejects.toThrow();
    await client.rpush(keysOfRun(run).late, JSON.stringify(resultOf(first, 0.25)), 'no JSON');
    await until(() => late.length > 0 && said.length > 1);
    expect(late).toEqual([[0, { status: 'ok', measures: { accuracy: 0.25 } }]]);
    expect(said[1]).toMatch(/^a worker sent a late result that is none/);
    await finish(second, 0.75);
    expect(await outcome).toMatchObject({ measures: { accuracy: 0.75 }, clock: { attempt: 2 } });
  });

  it('fail once their workers have died five times', async () => {
    const run = newRun();
    const { pool, begin } = await coordinator(run);
    await begin();
    const { take } = hands(run, 200);
    const outcome = pool.estimate(request(0), context(), 1);
    const made = [];
    for (let attempt = 0; attempt < 5; attempt++) made.push((await take()).data.attempt);
    expect(made).toEqual([1, 2, 3, 4, 5]);
    expect(await outcome).toEqual({
      status: 'failed',
      reason: 'given up after 5 attempts: its worker is gone',
    });
  });

  it('that a worker finds wrong, or whose result is none, are begun anew', async () => {
    const run = newRun();
    const { pool, said, begin } = await coordinator(run);
    await begin();
    const { take } = hands(run);
    const outcome = pool.estimate(request(0), context(), 1);
    const first = await take();
    await first.moveToFailed(new Error("the job is wrong at 'seed'"), String(first.token));
    const second = await take();
    await second.moveToCompleted({ accuracy: 1 }, String(second.token), false);
    await finish(await take(), 1);
    expect(await outcome).toMatchObject({ clock: { attempt: 3 } });
    expect(said).toEqual([
      "trial 0: the job is wrong at 'seed'; attempt 2 of 5",
      'trial 0: a worker sent no valid result; attempt 3 of 5',
    ]);
  });

  it('are found again by a coordinator that comes after one that was killed', async () => {
    const run = newRun();
    const killed = await coordinator(run);
    await killed.begin();
    const { take, client } = hands(run);
    const signal = AbortSignal.abort(new Error('not heard of any more'));
    void killed.pool.estimate(request(0), context(), 1).catch(() => {});
    const [zero] = [await take()];
    void killed.pool.estimate(request(1), context(), 1).catch(() => {});
    const one = await take();
    void killed.pool.estimate(request(2), context(), 1).catch(() => {});
    await finish(one, 0.5);
    // Its claim is that of a process which has ended, as far as can be told.
    await client.set(keysOfRun(run).coordinator, JSON.stringify(ended()));
    await until(() => killed.failures.length > 0);
    expect(killed.failures[0]?.message).toBe(`/runs/${run}: another process coordinates this run now`);

    const { pool, begin } = await coordinator(run);
    await begin();
    const outcomes = [0, 1].map((trial) => pool.estimate(request(trial), context(), 1));
    // Another seed: what was out for this trial is of no use.
    const other = pool.estimate({ ...request(2), seed: 1 }, context(), 1);
    expect(await outcomes[1]).toMatchObject({ measures: { accuracy: 0.5 }, clock: { attempt: 1 } });
    await finish(zero, 0.125);
    expect(await outcomes[0]).toMatchObject({ measures: { accuracy: 0.125 }, clock: { attempt: 1 } });
    const anew = await take();
    expect(anew.data).toMatchObject({ attempt: 2, token: 4, request: { trial: 2, seed: 1 } });
    await finish(anew, 1);
    expect(await other).toMatchObject({ clock: { attempt: 2 } });
    await expect(pool.estimate(request(3), context(signal), 1)).rejects.toThrow('not heard of any more');
  });

  it('have one coordinator at a time, wherever the copies of the folder are', async () => {
    const run = newRun();
    const first = await coordinator(run);
    await first.begin();
    const second = await coordinator(run);
    await expect(second.begin()).rejects.toThrow(
      `/runs/${run}: process ${process.pid} on ${thisProcess().host} coordinates this run`,
    );
  });

  it('outlive a Redis that stops and starts again, with its data or without', async () => {
    const run = newRun();
    const { pool, said, begin } = await coordinator(run, { returnWithin: 100 });
    await begin();
    const { take, client } = hands(run, 2000);
    const outcomes = [0, 1].map((trial) => pool.estimate(request(trial), context(), 1));
    const jobs = [await take(), await take()];
    await redis.kill();
    await redis.restart();
    await until(() => said.length > 1);
    expect(said.slice(0, 2)).toEqual([
      `Redis at ${redis.url} cannot be reached; waiting for it`,
      `Redis at ${redis.url} answers again`,
    ]);
    const [zero, one] = jobs.toSorted((a, b) => a.data.request.trial - b.data.request.trial);
    // As workers do: the lock is taken again where nobody else has it.
    await client.set(`${prefixOf(run)}:${CHILDREN}:${zero?.id}:lock`, String(zero?.token), 'PX', 2000);
    await finish(zero as Job<ChildJob>, 0.5);
    expect(await outcomes[0]).toMatchObject({ measures: { accuracy: 0.5 } });

    await client.flushall();
    // The run is offered again, and the child given out again under the same token, so either result counts.
    const again = await take();
    expect(again.data).toEqual(one?.data);
    await until(async () => (await client.sismember(RUNS, run)) === 1);
    await client.rpush(keysOfRun(run).late, JSON.stringify(resultOf(again, 0.75)));
    expect(await outcomes[1]).toMatchObject({ measures: { accuracy: 0.75 } });
  });

  it('are not begun on a Redis that would lose them without a warning', async () => {
    const weak = await RedisServer.start('--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru');
    closing.push(() => weak.stop());
    const { client, warnings } = await connectRedis(redisAddress(weak.url), () => {});
    client.disconnect();
    expect(warnings).toEqual([
      `Redis at ${weak.url} has no append-only file: if it stops, children that are out are trained again (appendonly yes)`,
      `Redis at ${weak.url} has maxmemory-policy allkeys-lru: it may throw jobs away when its memory is full (noeviction)`,
    ]);
  });
});

/** A process of this machine that has ended. */
function ended() {
  return { ...thisProcess(), pid: 2 ** 22 - 1, started: '1', claim: 'gone' };
}
