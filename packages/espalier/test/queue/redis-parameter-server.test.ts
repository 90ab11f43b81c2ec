import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LocalParameterServer } from '../../src/policy-gradient/local-parameter-server.js';
import { keysOfShard, RedisParameterServer } from '../../src/queue/redis-parameter-server.js';
import {
  afterTheSameGradients,
  controller,
  gradient,
  type ServerOptions,
  serverConformance,
  valuesOf,
} from '../policy-gradient/conformance.js';
import { describeWithRedis, RedisServer } from './redis-server.js';

let redis: RedisServer;
let client: Redis;

/** A server of a run of its own, or another process's view of one. */
function open(
  options: ServerOptions,
  run = randomBytes(8).toString('hex'),
  own = client,
): RedisParameterServer {
  const server = new RedisParameterServer(own, run, options);
  onTestFinished(async () => {
    await new RedisParameterServer(client, run, options).remove();
    server.free();
  });
  return server;
}

/** The connection of a process that is killed after so many scripts. */
function killedAfter(scripts: number): Redis {
  let left = scripts;
  return new Proxy(client, {
    get(target, key) {
      const value = Reflect.get(target, key);
      if (key === 'eval' && left-- <= 0) throw new Error('killed');
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const options: ServerOptions = { learningRate: 0.1, accumulate: 2, shards: 3, controller };

describeWithRedis('the parameter server of shards in Redis', () => {
  beforeAll(async () => {
    redis = await RedisServer.start();
    client = new Redis(redis.port);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.stop();
  });

  describe('does what every one does, and so', () => serverConformance(async (given) => open(given)));

  it.each([1, 2, 3])(
    'comes to the same numbers as one in a process, %i gradients an update',
    async (accumulate) => {
      const local = new LocalParameterServer({ ...options, accumulate });
      onTestFinished(() => local.free());
      expect(await afterTheSameGradients(open({ ...options, accumulate }))).toEqual(
        await afterTheSameGradients(local),
      );
    },
  );

  it('has the keys of a shard on one node of a cluster, and those of others elsewhere', () => {
    const tags = [0, 1].map((shard) =>
      Object.values(keysOfShard('ab', shard)).map((key) => /\{(.*?)\}/.exec(key)?.[1]),
    );
    expect(tags).toEqual([Array(7).fill('espalier:ab:shard:0'), Array(7).fill('espalier:ab:shard:1')]);
  });

  it('takes a gradient once, however often it is pushed', async () => {
    const run = 'again';
    const [first, second] = [
      open({ ...options, accumulate: 1 }, run),
      open({ ...options, accumulate: 1 }, run),
    ];
    const { parameters, versions } = await first.fetch();
    const given = { parameters: gradient(parameters, 1), drawnAt: versions, name: '5-0' };
    expect(await first.push(given)).toEqual({ staleness: 0, updated: true, versions: [1, 1, 1] });
    expect(await second.push(given)).toEqual({ staleness: 1, updated: false, versions: [1, 1, 1] });
    expect((await second.fetch()).versions).toEqual([1, 1, 1]);
  });

  it('is whole after a process has died in the middle of an update: the next one makes it', async () => {
    const run = 'dies';
    const [dies, next] = [
      open({ ...options, accumulate: 1 }, run, killedAfter(1)),
      open({ ...options, accumulate: 1 }, run),
    ];
    const { parameters, versions } = await dies.fetch();
    const initial = valuesOf(parameters);
    const given = { parameters: gradient(parameters, 1), drawnAt: versions, name: '1-0' };
    await expect(dies.push(given)).rejects.toThrow('killed');
    // Nothing was applied, but the gradient is there: shard 2 comes first.
    expect(await client.hget(keysOfShard(run, 2).state, 'version')).toBeNull();
    expect(await client.llen(keysOfShard(run, 2).pending)).toBe(1);
    const { versions: made, parameters: after } = await next.fetch();
    expect(made).toEqual([0, 0, 1]);
    // Whoever takes its minibatch over pushes all of it again.
    expect(await next.push(given)).toMatchObject({ versions: [1, 1, 1] });
    const values = valuesOf((await next.fetch()).parameters);
    expect(Object.keys(values).filter((name) => values[name]?.join() === initial[name]?.join())).toEqual([]);
    const whole = open({ ...options, accumulate: 1 });
    await whole.push({ parameters: gradient((await whole.fetch()).parameters, 1), drawnAt: versions });
    expect(values).toEqual(valuesOf((await whole.fetch()).parameters));
    expect(after.size).toBe(Object.keys(values).length);
  });

  it('loses no gradient and makes no update twice when many push at once', async () => {
    const run = 'many';
    const given = { ...options, accumulate: 3 };
    const servers = Array.from({ length: 4 }, () => open(given, run));
    const names: string[] = [];
    await Promise.all(
      servers.map(async (server, who) => {
        for (let turn = 0; turn < 6; turn++) {
          const { parameters, versions } = await server.fetch();
          names.push(`${who}-${turn}`);
          await server.push({
            parameters: gradient(parameters, 0.5),
            drawnAt: versions,
            name: `${who}-${turn}`,
          });
        }
      }),
    );
    expect(names).toHaveLength(24);
    expect((await (servers[0] as RedisParameterServer).fetch()).versions).toEqual([8, 8, 8]);
    for (const shard of [0, 1, 2]) expect(await client.llen(keysOfShard(run, shard).pending)).toBe(0);
  });
});
