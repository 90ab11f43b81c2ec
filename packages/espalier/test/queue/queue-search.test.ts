import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { addSearch } from '../../src/cli/search.js';
import { NEWS } from '../../src/queue/queue-keys.js';
import { type Ended, journalOf, journalReaches, kill, run, start } from '../cli/command.js';
import { copyExamples } from '../cli/own-parts.js';
import { refusal } from '../cli/printed.js';
import { suiteFolder } from '../cli/suite-folder.js';
import { writeTinyCifar10 } from '../cli/tiny-cifar10.js';
import { describeWithRedis, RedisServer, until } from './redis-server.js';

const folder = suiteFolder();
const SECRET = 'roses+and/thorns';
/** Processes start slowly where other tests are at work. */
const TIMEOUT = 180_000;
let redis: RedisServer;
/** One that is there for all tests but the last; the code of no user. */
let steady: ReturnType<typeof worker>;
/** All processes of a test. */
const processes: { readonly child: ChildProcess; readonly ended: Promise<Ended> }[] = [];

/** The command line in a process that ends with the test. */
function launch(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const process = start(args, folder, env);
  processes.push(process);
  return process;
}

/** A worker process. It is silent for 3 seconds before it is taken for dead. */
function worker(...more: string[]) {
  const args = ['worker', '--redis', redis.url, '--concurrency', '1', '--lease', '3', ...more];
  const { child, ended } = launch(args, { ESPALIER_REDIS_PASSWORD: SECRET });
  let text = '';
  child.stderr?.on('data', (part) => {
    text += part;
  });
  return { child, ended, said: () => text };
}

/** Its children, with the one option that says where they are trained. */
const search = (out: string, ...more: string[]) => [
  ...['search', '--space', 'zoph-cnn', '--data', 'cifar10:cifar', '--limit', '120', '--preset', 'small'],
  ...['--seed', '5', '--workers', '2', '--batch-size', '20', '--out', out, ...more],
];

const withSecret = () => `redis://:${encodeURIComponent(SECRET)}@127.0.0.1:${redis.port}`;
const linesOf = (out: string) => journalOf(join(folder, out)).map((line) => JSON.parse(line));
const told = (out: string) =>
  linesOf(out)
    .filter(({ event }) => event === 'result')
    .map(({ trial }) => trial as number);
const inOrder = (trials: number[]) => trials.toSorted((a, b) => a - b);

/** What is in Redis. */
async function keys(): Promise<string[]> {
  const client = new Redis(redis.port, '127.0.0.1', { password: SECRET });
  try {
    return await client.keys('*');
  } finally {
    client.disconnect();
  }
}

/** Sends a text to all that listen for news. */
async function publish(text: string): Promise<void> {
  const client = new Redis(redis.port, '127.0.0.1', { password: SECRET });
  try {
    await client.publish(NEWS, text);
  } finally {
    client.disconnect();
  }
}

describeWithRedis('a search whose children workers of a Redis train', () => {
  beforeAll(async () => {
    redis = await RedisServer.start('--requirepass', SECRET);
    writeTinyCifar10(join(folder, 'cifar'));
    copyExamples(folder, 'plain-cnn.ts');
    process.chdir(folder);
    steady = worker('--grace', '0');
    // It outlives the tests.
    processes.pop();
  });
  afterEach(async () => {
    for (const { child } of processes) kill(child);
    await Promise.all(processes.splice(0).map(({ ended }) => ended));
  });
  afterAll(async () => {
    kill(steady.child);
    await redis.stop();
  }, TIMEOUT);

  it(
    'has the journal of one machine with --deterministic, though a worker is killed',
    async () => {
      const args = (out: string, ...more: string[]) =>
        search(out, '--strategy', 'reinforce', '--trials', '8', '--epochs', '1', ...more);
      const dies = worker();
      // What others send to all workers is no news to them, and harms nobody.
      await until(() => steady.said().includes('waiting for children'));
      await publish('no news');
      const far = launch(args('far', '--redis', withSecret(), '--deterministic'));
      await journalReaches(join(folder, 'far'), 4, far.child);
      kill(dies.child);
      const [{ code, stderr }] = await Promise.all([far.ended, run(args('near', '--deterministic'), folder)]);
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      expect(journalOf(join(folder, 'far'))).toEqual(journalOf(join(folder, 'near')));
      expect(steady.child.exitCode).toBeNull();
      // Nothing of the run is left, and the password is nowhere.
      expect(await keys()).toEqual([]);
      for (const file of ['journal.jsonl', 'manifest.json'])
        expect(readFileSync(join(folder, 'far', file), 'utf8')).not.toMatch(/roses|thorns/);
      expect(stderr + dies.said()).not.toMatch(/roses|thorns/);
      const [begin] = readFileSync(join(folder, 'far', 'journal.jsonl'), 'utf8').split('\n');
      expect(JSON.parse(begin as string).clock.queue).toEqual({ redis: redis.url, priority: 0 });
      // Each worker's memory is known here, and each says itself what it has.
      const { memory } = JSON.parse((await run(['status', 'far', '--json'], folder)).stdout);
      expect(memory).toContainEqual(
        expect.objectContaining({
          device: 'cpu',
          worker: /worker (\S+):/.exec(steady.said())?.[1],
          peak: expect.any(Number),
        }),
      );
      expect(steady.said()).toMatch(/GiB of memory are free/);
    },
    TIMEOUT,
  );

  it(
    'whose coordinator is killed with -9 comes to its end when resumed, with no trial twice',
    async () => {
      const args = [
        ...['--strategy', 'asha', '--trials', '12', '--epochs', '4'],
        '--set',
        'eta=2',
        '--redis',
      ];
      const killed = launch(search('killed', ...args, withSecret()));
      await journalReaches(join(folder, 'killed'), 9, killed.child);
      killed.child.kill('SIGKILL');
      await killed.ended;
      const recorded = journalOf(join(folder, 'killed'));
      // The queue of the run is still there, and its workers go on.
      expect((await keys()).length).toBeGreaterThan(0);

      const resumed = launch(['resume', 'killed', '--json'], { ESPALIER_REDIS_PASSWORD: SECRET });
      const { code, stdout, stderr } = await resumed.ended;
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      const { trials, done } = JSON.parse(stdout);
      expect(done).toBe(trials);
      expect(inOrder(told('killed'))).toEqual([...Array(trials).keys()]);
      expect(linesOf('killed')[0]).toMatchObject({ order: 'arrival' });
      expect(journalOf(join(folder, 'killed')).slice(0, recorded.length)).toEqual(recorded);
      expect(await keys()).toEqual([]);

      // The order of arrival is repeated on one machine.
      const again = JSON.parse((await run(['reproduce', 'killed', '--json'], folder)).stdout);
      expect(again).toMatchObject({ equal: true, finished: true });
    },
    TIMEOUT,
  );

  it(
    'waits for a worker that has its code, and is told why another does not help',
    async () => {
      const args = ['search', '--space', './plain-cnn.ts', '--data', 'cifar10:cifar', '--limit', '120'];
      const own = launch([
        ...[...args, '--strategy', 'random', '--trials', '2', '--epochs', '1', '--workers', '2'],
        ...['--out', 'own', '--redis', withSecret(), '--batch-size', '20'],
      ]);
      await until(() => steady.said().includes('not taken'));
      const file = join(folder, 'plain-cnn.ts');
      const reason = `space ${file} is a program, and no file of --code is the same; start the worker with --code FILE`;
      expect(steady.said()).toContain(`not taken: ${reason}`);
      const having = worker('--code', 'plain-cnn.ts');
      const { code, stderr } = await own.ended;
      expect(code).toBe(0);
      expect(stderr).toContain(`does not help: ${reason}`);
      expect(having.said()).toContain('trained 1 epochs');
      expect(told('own')).toHaveLength(2);
    },
    TIMEOUT,
  );

  it(
    'with its replicas elsewhere too goes on after a kill with -9, and ends with all that it learnt',
    async () => {
      const args = [...['--strategy', 'reinforce', '--trials', '10', '--epochs', '1'], '--set', 'shards=3'];
      const more = ['--set', 'children=2', '--remote-replicas', '--redis', withSecret()];
      const killed = launch(search('remote', ...args, ...more));
      await until(() => existsSync(join(folder, 'remote', 'manifest.json')));
      await until(async () => (await keys()).some((key) => key.endsWith(':policy')));
      const replicas = launch(['replica', 'remote', '--redis', withSecret(), '--replicas', '2']);
      await journalReaches(join(folder, 'remote'), 6, killed.child);
      killed.child.kill('SIGKILL');
      await killed.ended;
      const recorded = journalOf(join(folder, 'remote'));
      const resumed = launch(['resume', 'remote', '--json', '--redis', withSecret()]);
      const { code, stdout, stderr } = await resumed.ended;
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ trials: 10, done: 10 });
      expect(inOrder(told('remote'))).toEqual([...Array(10).keys()]);
      const lines = linesOf('remote');
      expect(journalOf(join(folder, 'remote')).slice(0, recorded.length)).toEqual(recorded);
      expect(lines[0]).toMatchObject({ replicas: 'elsewhere', order: 'arrival' });
      const updates = lines.filter(({ event }) => event === 'update').map(({ update }) => update);
      expect(updates.length).toBeGreaterThan(1);
      expect(updates).toEqual(updates.map((_, place) => place + 1));
      // Every child is of a minibatch, once.
      const origins = lines.flatMap(({ origin }) =>
        origin === undefined ? [] : [`${origin.minibatch}/${origin.child}`],
      );
      expect(new Set(origins).size).toBe(10);
      expect((await replicas.ended).code).toBe(0);
      expect(await keys()).toEqual([]);
    },
    TIMEOUT,
  );

  it(
    'is refused where nothing would come of it',
    async () => {
      const message = (...more: string[]) =>
        refusal(addSearch, search('refused', '--strategy', 'random', '--trials', '2', ...more));
      expect(await message('--redis', 'http://user:roses@host')).toBe(
        "--redis 'http://host': allowed: redis://[user:password@]host[:port][/database], or rediss:// for TLS",
      );
      expect(await message('--redis', 'redis://127.0.0.1:1')).toBe(
        '--redis redis://127.0.0.1:1: no Redis answers here: ECONNREFUSED',
      );
      expect(await message('--redis', redis.url)).toMatch(
        /^--redis redis:\/\/127.0.0.1:\d+: NOAUTH Authentication required; a password stands in the URL or in ESPALIER_REDIS_PASSWORD$/,
      );
      expect(await message('--redis', withSecret(), '--device', 'cpu')).toBe(
        '--device cpu: with --redis each worker has its own: espalier worker --device',
      );
      expect(await message('--priority', '3')).toBe(
        '--priority 3: workers of a Redis have use for it: --redis URL',
      );
      const table = ['search', '--space', 'nasbench201', '--strategy', 'random', '--out', 'refused'];
      expect((await run([...table, '--estimator', './none.ts', '--redis', redis.url], folder)).code).toBe(2);
    },
    TIMEOUT,
  );

  it(
    'stopped by Ctrl-C takes its children back, and a worker that is stopped gives its own back',
    async () => {
      const args = ['--strategy', 'random', '--trials', '4', '--epochs', '30', '--limit', '300'];
      const stopped = launch(search('stopped', ...args, '--redis', withSecret()));
      await until(async () => (await keys()).some((key) => key.endsWith(':lock')));
      steady.child.kill('SIGTERM');
      expect((await steady.ended).code).toBe(0);
      expect(steady.said()).toContain('giving 1 back');
      // It is with nobody, and its attempt is still the first.
      expect((await keys()).filter((key) => key.endsWith(':lock'))).toEqual([]);
      const second = worker();
      await until(async () => (await keys()).some((key) => key.endsWith('-a1:lock')));
      stopped.child.kill('SIGINT');
      expect((await stopped.ended).code).toBe(130);
      expect(await keys()).toEqual([]);
      await until(() => second.said().includes('has ended'));
    },
    TIMEOUT,
  );
});
