import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { setThreads } from '@espalier/torch';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { accuracy } from '../../src/measures/accuracy.js';
import { Minibatches } from '../../src/queue/minibatches.js';
import { policyKey } from '../../src/queue/policy-offer.js';
import { keysOfRun, prefixOf } from '../../src/queue/queue-keys.js';
import { redisAddress } from '../../src/queue/redis-address.js';
import { RemoteReplica } from '../../src/queue/remote-replica.js';
import { RemoteReplicas } from '../../src/queue/remote-replicas.js';
import { resolveOptions } from '../../src/space/options.js';
import { Space } from '../../src/space/space.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';
import { createStrategy } from '../../src/strategies/guarded-strategy.js';
import type { PolicyGradientOptions } from '../../src/strategies/policy-gradient-options.js';
import { ppo } from '../../src/strategies/ppo.js';
import { reinforce } from '../../src/strategies/reinforce.js';
import type {
  AnyStrategyDefinition,
  Elsewhere,
  Proposal,
  Strategy,
  StrategyEvent,
} from '../../src/strategies/strategy.js';
import { version } from '../../src/version.js';
import { ok } from '../strategies/outcomes.js';
import { describeWithRedis, RedisServer, until } from './redis-server.js';

setThreads(1);

let redis: RedisServer;
let client: Redis;

const SEED = 9;
const space = Space.configure(zophCnn, { layers: 1 });
const tiny = { hidden: 5, children: 3, shards: 2, learningRate: 0.05, growEvery: 6, growBy: 1 };
const optionsOf = (definition: AnyStrategyDefinition, given: object) =>
  resolveOptions(definition.name, definition.options, {
    ...tiny,
    ...given,
  }) as unknown as PolicyGradientOptions;

/** How good an architecture is: anything that follows from its answers. */
const outcomeOf = ({ answers }: Proposal) => {
  const flat = answers.flat();
  return ok(flat.reduce((sum, answer) => sum + answer, 0) / (3 * flat.length + 1));
};

/** The strategy of a search whose replicas are elsewhere, guarded as in a search. */
function remote(run: string, definition: AnyStrategyDefinition, options: PolicyGradientOptions) {
  const offer = {
    ...{ protocol: 1 as const, version, space: 'zoph-cnn', spaceOptions: space.options },
    ...{ strategy: definition.name, strategyOptions: {}, seed: SEED },
  };
  const create = (start: ConstructorParameters<typeof RemoteReplicas>[2]) =>
    new RemoteReplicas(redisAddress(redis.url), offer, start);
  const strategy = createStrategy(
    { ...definition, create },
    { space, seed: SEED, options, objectives: [accuracy] },
  );
  return { strategy, elsewhere: strategy.elsewhere as Elsewhere, run };
}

/** A replica at work until the test ends, or it is stopped. */
function replicaOf(run: string, definition: AnyStrategyDefinition, options: PolicyGradientOptions) {
  const stopping = new AbortController();
  const said: string[] = [];
  const policy = definition.policy?.(options);
  if (policy === undefined) throw new Error(`${definition.name} has no policy`);
  const working = new RemoteReplica({
    ...{ client, run, space, strategy: definition.name, policy, options, seed: SEED },
    say: (text) => said.push(text),
  }).work(stopping.signal);
  const stop = async () => {
    stopping.abort();
    await working;
  };
  onTestFinished(stop);
  return { stop, said };
}

interface Course {
  readonly proposals: Proposal[];
  readonly events: StrategyEvent[];
}

/** What a strategy of this process proposes and journals. */
function courseOf(strategy: Strategy, trials: number): Course {
  const course: Course = { proposals: [], events: [] };
  for (let trial = 0; trial < trials; trial++) {
    const proposal = strategy.ask() as Proposal;
    course.proposals.push(proposal);
    course.events.push(...(strategy.tell({ trial, ...proposal, outcome: outcomeOf(proposal) }) ?? []));
  }
  strategy.close?.();
  return course;
}

/** The same of one whose replicas are elsewhere: each trial is told before the next one is asked for. */
async function remoteCourse(
  { strategy, elsewhere, run }: ReturnType<typeof remote>,
  trials: number,
  updates: number,
): Promise<Course> {
  const course: Course = { proposals: [], events: [] };
  let arrived = 0;
  await elsewhere.begin({ id: run, message: () => {} }, () => {
    arrived++;
  });
  await until(() => {
    course.events.push(...elsewhere.takeEvents());
    while (course.proposals.length < trials) {
      const asked = strategy.ask();
      if (typeof asked === 'string') break;
      const trial = course.proposals.length;
      const { origin: _, ...proposal } = asked;
      course.proposals.push(proposal);
      strategy.tell({ trial, ...proposal, outcome: outcomeOf(proposal) });
    }
    return course.proposals.length === trials && course.events.length >= updates;
  });
  expect(arrived).toBeGreaterThan(0);
  return course;
}

const newRun = () => randomBytes(8).toString('hex');

describeWithRedis('controller replicas in processes of their own', () => {
  beforeAll(async () => {
    redis = await RedisServer.start();
    client = new Redis(redis.port);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.stop();
  });

  it.each<[string, AnyStrategyDefinition, object, number]>([
    ['reinforce', reinforce, {}, 5],
    ['reinforce that accumulates two gradients', reinforce, { accumulate: 2, maxStaleness: 1 }, 2],
    ['ppo', ppo, { passes: 2, entropyWeight: 0.01 }, 10],
  ])(
    'one of %s proposes and learns what it would in the process of the search',
    async (_, definition, given, updates) => {
      const options = optionsOf(definition, given);
      const here = courseOf(definition.create({ space, seed: SEED, options, objectives: [accuracy] }), 15);
      expect(here.events).toHaveLength(updates);
      // The depth grows after six children.
      expect(new Set(here.proposals.map(({ depth }) => depth))).toEqual(new Set([1, 2, 3]));
      const run = newRun();
      const elsewhere = remote(run, definition, options);
      replicaOf(run, definition, options);
      expect(await remoteCourse(elsewhere, 15, updates)).toEqual(here);
      await elsewhere.elsewhere.end(true);
    },
  );

  it('leave nothing in Redis once the search has ended, and everything where it goes on', async () => {
    const run = newRun();
    const options = optionsOf(reinforce, {});
    const { stop } = replicaOf(run, reinforce, options);
    const first = remote(run, reinforce, options);
    await remoteCourse(first, 6, 2);
    await first.elsewhere.end(false);
    expect((await client.keys(`${prefixOf(run).slice(0, -1)}*`)).length).toBeGreaterThan(0);
    // A search that goes on recalls what its journal has, and gets the rest.
    const second = remote(run, reinforce, options);
    for (let child = 0; child < 4; child++) {
      const origin = { minibatch: child < 3 ? '1' : '2', child: child % 3 };
      const record = { answers: [0, 0, 0, []], origin };
      second.elsewhere.recall({ answers: record.answers as never, origin });
    }
    await second.elsewhere.begin({ id: run, message: () => {} }, () => {});
    await until(async () => (await new Minibatches(client, run).begunAfter(0)).length >= 3);
    const asked: Proposal[] = [];
    await until(() => {
      const next = second.strategy.ask();
      if (typeof next !== 'string') asked.push(next);
      return asked.length === 3;
    });
    // The minibatches 1 and 2 have ended: their children were all told. The third is open.
    expect(asked.map(({ origin }) => origin)).toEqual([0, 1, 2].map((child) => ({ minibatch: '3', child })));
    await stop();
    await second.elsewhere.end(true);
    expect(await client.keys(`${prefixOf(run).slice(0, -1)}*`)).toEqual([]);
    expect(await client.exists(keysOfRun(run).offer)).toBe(0);
  });

  it('take over the minibatch of one that is gone, with the parameters that it was drawn with', async () => {
    const run = newRun();
    const options = optionsOf(reinforce, {});
    const here = courseOf(reinforce.create({ space, seed: SEED, options, objectives: [accuracy] }), 3);
    await client.set(policyKey(run), 'begun');
    const first = replicaOf(run, reinforce, options);
    const minibatches = new Minibatches(client, run);
    await until(async () => (await minibatches.open()).length === 1);
    await first.stop();
    expect(await minibatches.open()).toEqual(['1']);
    const second = replicaOf(run, reinforce, options);
    await until(() => second.said.length > 0);
    expect(second.said[0]).toBe('minibatch 1: taken over');
    const strategy = remote(run, reinforce, options);
    expect(await remoteCourse(strategy, 3, 1)).toEqual(here);
    await second.stop();
    await strategy.elsewhere.end(true);
  });

  it('wait where a gradient could become staler than allowed', async () => {
    const run = newRun();
    const options = optionsOf(reinforce, { maxStaleness: 0, accumulate: 2 });
    await client.set(policyKey(run), 'begun');
    const replicas = [0, 1, 2].map(() => replicaOf(run, reinforce, options));
    const minibatches = new Minibatches(client, run);
    await until(async () => (await minibatches.open()).length === 2);
    // Two gradients make an update: a third minibatch would be of older parameters.
    await setTimeout(400);
    expect(await minibatches.open()).toEqual(['1', '2']);
    const strategy = remote(run, reinforce, options);
    const { events } = await remoteCourse(strategy, 12, 2);
    expect(events.flatMap(({ staleness }) => staleness)).toEqual([0, 0, 0, 0]);
    for (const { stop } of replicas) await stop();
    await strategy.elsewhere.end(true);
  });
});
