import type { Redis } from 'ioredis';
import { z } from 'zod';
import { answersJson } from '../strategies/answers-json.js';
import { keysOfShard } from './redis-parameter-server.js';

/** The children of a minibatch, as its replica has drawn them. */
const minibatchRecord = z.strictObject({
  children: z.array(z.strictObject({ answers: answersJson, depth: z.number().optional() })).min(1),
  /** The versions of the shards when they were drawn. */
  drawnAt: z.array(z.int().min(0)).min(1),
  heads: z.array(z.string()),
});

export type MinibatchRecord = z.infer<typeof minibatchRecord>;

/** A replica that is silent for so long has lost its minibatch to another. */
export const HOLD_MS = 30_000;

/** All on one node of a cluster, with shard 0, whose version bounds the staleness. */
function keysOf(run: string) {
  const { state, pending, inFlight, policy } = keysOfShard(run, 0);
  const prefix = state.slice(0, -'state'.length);
  return {
    state,
    pending,
    policy,
    /** Hash: the version at which each open minibatch was drawn. */
    inFlight,
    /** Hashes: the record of each open minibatch, the parameters that its children were drawn with, and its baseline. */
    records: `${prefix}minibatches`,
    parameters: `${prefix}drawn-with`,
    baselines: `${prefix}baselines`,
    /** List of the ids of all minibatches, in the order in which they were begun. */
    begun: `${prefix}begun`,
    /** b, and the number of children that were drawn. */
    baseline: `${prefix}baseline`,
    drawn: `${prefix}drawn`,
    /** Counts replicas. */
    replicas: `${prefix}replicas`,
    rewards: (id: string) => `${prefix}rewards:${id}`,
    holder: (id: string) => `${prefix}holder:${id}`,
  };
}

/**
 * Begins a minibatch, unless the search has ended, children were drawn meanwhile, or its gradient could become staler than
 * allowed: see `canBegin` in policy-gradient/staleness-bound.ts.
 */
const BEGIN = `
if redis.call('EXISTS', KEYS[8]) == 0 then return '' end
local drawn = tonumber(redis.call('GET', KEYS[7]) or '0')
if drawn ~= tonumber(ARGV[1]) then return '' end
local most, accumulate, passes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
if most >= 0 then
  local pending = redis.call('LLEN', KEYS[2])
  local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0') + math.floor(pending / accumulate)
  local others = redis.call('HVALS', KEYS[3])
  local oldest = version
  for _, at in ipairs(others) do oldest = math.min(oldest, tonumber(at)) end
  if tonumber(ARGV[3]) < oldest then oldest = tonumber(ARGV[3]) end
  local updates = math.floor((pending % accumulate + #others * passes) / accumulate)
  if version + updates - oldest > most then return '' end
end
redis.call('SET', KEYS[7], drawn + tonumber(ARGV[2]))
local id = tostring(redis.call('RPUSH', KEYS[6], ''))
redis.call('LSET', KEYS[6], -1, id)
redis.call('HSET', KEYS[3], id, ARGV[3])
redis.call('HSET', KEYS[4], id, ARGV[7])
redis.call('HSET', KEYS[5], id, ARGV[8])
redis.call('SET', ARGV[9] .. id, ARGV[10], 'PX', ARGV[11])
return id`;

/** Keeps a minibatch, or takes one whose replica is gone. */
const HOLD = `
local holder = redis.call('GET', KEYS[1])
if holder ~= false and holder ~= ARGV[1] then return 0 end
if redis.call('HEXISTS', KEYS[2], ARGV[3]) == 0 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

/** Moves the baseline on by a minibatch, once. */
const MOVE = `
local own = redis.call('HGET', KEYS[2], ARGV[1])
if own ~= false then return own end
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[2] then return '' end
redis.call('SET', KEYS[1], ARGV[4])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
return ARGV[3]`;

/** What a replica begins a minibatch with. */
export interface BegunMinibatch {
  readonly record: MinibatchRecord;
  /** Of the controller that drew the children, as bytes. */
  readonly parameters: Buffer;
  /** How many children all replicas had drawn before. */
  readonly drawn: number;
  readonly most: number | null;
  readonly accumulate: number;
  readonly passes: number;
  readonly holder: string;
}

/**
 * The minibatches of all replicas, in Redis: their children, the parameters that these were drawn with, and the rewards that
 * are known. So a minibatch outlives its replica: another one takes it over.
 */
export class Minibatches {
  readonly #keys;

  constructor(
    private readonly client: Redis,
    run: string,
  ) {
    this.#keys = keysOf(run);
  }

  /** The number of a new replica, from 0. */
  async newReplica(): Promise<number> {
    return (await this.client.incr(this.#keys.replicas)) - 1;
  }

  /** How many children were drawn in all. */
  async drawn(): Promise<number> {
    return Number((await this.client.get(this.#keys.drawn)) ?? 0);
  }

  /** @returns its id; undefined where it may not begin (yet), and its children are to be drawn again */
  async begin(begun: BegunMinibatch): Promise<string | undefined> {
    const { record, parameters, drawn, most, accumulate, passes, holder } = begun;
    const keys = this.#keys;
    const id = (await this.client.eval(
      BEGIN,
      8,
      ...[keys.state, keys.pending, keys.inFlight, keys.records, keys.parameters, keys.begun, keys.drawn],
      keys.policy,
      ...[drawn, record.children.length, record.drawnAt[0] as number, most ?? -1, accumulate, passes],
      ...[JSON.stringify(record), parameters, keys.holder(''), holder, HOLD_MS],
    )) as string;
    return id === '' ? undefined : id;
  }

  /** @returns false where another replica has it, or it has ended */
  async hold(id: string, holder: string): Promise<boolean> {
    const { holder: keyOf, records } = this.#keys;
    return (await this.client.eval(HOLD, 2, keyOf(id), records, holder, HOLD_MS, id)) === 1;
  }

  async letGo(id: string): Promise<void> {
    await this.client.del(this.#keys.holder(id));
  }

  /** The open minibatches, the oldest first. */
  async open(): Promise<string[]> {
    const ids = await this.client.hkeys(this.#keys.records);
    return ids.sort((a, b) => Number(a) - Number(b));
  }

  /** Ids of the minibatches that were begun after the first `after` ones. */
  async begunAfter(after: number): Promise<string[]> {
    return this.client.lrange(this.#keys.begun, after, -1);
  }

  /** Undefined where it has ended. @throws Error where it is no minibatch */
  async read(id: string): Promise<MinibatchRecord | undefined> {
    const text = await this.client.hget(this.#keys.records, id);
    return text === null ? undefined : minibatchRecord.parse(JSON.parse(text));
  }

  /** The parameters that its children were drawn with. */
  async drawnWith(id: string): Promise<Buffer | null> {
    return this.client.hgetBuffer(this.#keys.parameters, id);
  }

  async reward(id: string, child: number, reward: number): Promise<void> {
    await this.client.hset(this.#keys.rewards(id), `${child}`, `${reward}`);
  }

  /** The rewards of its children in their order, once all are known. */
  async rewards(id: string, children: number): Promise<number[] | undefined> {
    const known = await this.client.hgetall(this.#keys.rewards(id));
    const rewards = Array.from({ length: children }, (_, child) => Number(known[child]));
    return rewards.some(Number.isNaN) ? undefined : rewards;
  }

  /**
   * The baseline that the rewards of a minibatch are compared with. It moves on by them.
   *
   * @param first the baseline where there is none yet
   */
  async baseline(id: string, first: number, after: (baseline: number) => number): Promise<number> {
    const { baseline, baselines } = this.#keys;
    for (;;) {
      const now = (await this.client.get(baseline)) ?? '';
      const own = now === '' ? first : Number(now);
      const moved = await this.client.eval(MOVE, 2, baseline, baselines, id, now, `${own}`, `${after(own)}`);
      if (moved !== '') return Number(moved);
    }
  }

  /** A minibatch whose own updates have made the versions move on. */
  async drawnAt(id: string, version: number): Promise<void> {
    await this.client.hset(this.#keys.inFlight, id, version);
  }

  async end(id: string): Promise<void> {
    const { records, parameters, inFlight, baselines, rewards, holder } = this.#keys;
    await this.client
      .multi()
      .hdel(records, id)
      .hdel(parameters, id)
      .hdel(inFlight, id)
      .hdel(baselines, id)
      .del(rewards(id), holder(id))
      .exec();
  }

  /** Takes all of them out of Redis. */
  async remove(): Promise<void> {
    for (const id of await this.open()) await this.end(id);
    const { records, parameters, baselines, begun, baseline, drawn, replicas, inFlight } = this.#keys;
    await this.client.del(records, parameters, baselines, begun, baseline, drawn, replicas, inFlight);
  }
}
