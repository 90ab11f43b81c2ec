import { randomBytes } from 'node:crypto';
import { noGrad, scope, type Tensor } from '@espalier/torch';
import type { Redis } from 'ioredis';
import { Controller, type ControllerOptions } from '../controller/controller.js';
import { fromBytes, toBytes } from '../controller/tensor-bytes.js';
import type { Json } from '../json.js';
import type { Fetched, Gradient, ParameterServer, Pushed } from '../policy-gradient/parameter-server.js';
import { Shard, type ShardOptions, shardOf } from '../policy-gradient/shard.js';
import { prefixOf } from './queue-keys.js';

export interface RedisServerOptions extends ShardOptions {
  /** S, the number of shards. */
  readonly shards: number;
  readonly controller: ControllerOptions;
  /** Makes the event of an update of what was said of its gradients, for shard 0 to keep. */
  readonly updateOf?: (update: number, said: readonly Json[]) => Json;
}

/** The parameters of a shard as they were fetched. */
interface FetchedShard {
  readonly version: number;
  readonly parameters: ReadonlyMap<string, Tensor>;
}

/** A gradient with what is to be known of it. */
export interface NamedGradient extends Gradient {
  readonly name: string;
  readonly said?: Readonly<Record<string, Json>>;
}

/** @param shard its own keys, in braces, so that a cluster keeps them on one node, and other shards on others */
export function keysOfShard(run: string, shard: number) {
  const prefix = `${prefixOf(run).slice(0, -1)}:shard:${shard}}`;
  return {
    /** Hash: `version`, `parameters`, `adam`. */
    state: `${prefix}:state`,
    /** List of gradients that are not part of an update yet. */
    pending: `${prefix}:pending`,
    /** Set of the names of all gradients that were taken: a replica may be silent for any time, and push again then. */
    taken: `${prefix}:taken`,
    /** Of shard 0: list of what is said of the pending gradients, of the updates made, and hash of what is in flight. */
    said: `${prefix}:said`,
    updates: `${prefix}:updates`,
    inFlight: `${prefix}:in-flight`,
    /** Of shard 0: what replicas need to know, as long as the search has not come to its end. */
    policy: `${prefix}:policy`,
  };
}

/** Takes a gradient once. @returns whether it is new, the version, and how many were pending before */
const PUSH = `
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local before = redis.call('LLEN', KEYS[2])
if redis.call('SADD', KEYS[3], ARGV[1]) == 0 then return {0, version, before} end
redis.call('RPUSH', KEYS[2], ARGV[2])
if ARGV[3] ~= '' then redis.call('RPUSH', KEYS[4], ARGV[3]) end
return {1, version, before}`;

/** Makes the update that was computed of a version and its pending gradients, unless another process was first. */
const COMMIT = `
if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', tonumber(ARGV[1]) + 1, 'parameters', ARGV[3], 'adam', ARGV[4])
redis.call('LTRIM', KEYS[2], ARGV[2], -1)
if ARGV[5] ~= '' then
  redis.call('LTRIM', KEYS[4], ARGV[2], -1)
  redis.call('RPUSH', KEYS[3], ARGV[5])
end
return 1`;

/** Adds the heads that are new, in their order. */
const GROW = `
local known = {}
for _, head in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do known[head] = true end
for _, head in ipairs(ARGV) do
  if not known[head] then
    known[head] = true
    redis.call('RPUSH', KEYS[1], head)
  end
end
return 1`;

/**
 * Shards of a parameter server in Redis, each with keys of its own. A process that pushes appends its gradient to those that
 * are pending. Whoever finds enough of them makes the update: it computes Adam's step with libtorch, as a `Shard` of this
 * process does, and commits parameters, state and what is left pending at once, if the version is still the same. So a
 * process that dies in between leaves nothing half applied: the gradients are still pending, and the next one takes them.
 *
 * The initial values of parameters follow from the seed and their names, so a shard that was never updated is empty.
 */
export class RedisParameterServer implements ParameterServer {
  /** The initial parameters, with all heads. */
  readonly #initial: Controller;
  /** What was fetched last, by shard: parameters that have not changed are not sent again. */
  readonly #fetched: FetchedShard[];
  /** The shards of the parameters: a checksum of each name for each gradient took a fifth of an update. */
  readonly #shards = new Map<string, number>();

  constructor(
    private readonly client: Redis,
    private readonly run: string,
    private readonly options: RedisServerOptions,
  ) {
    this.#initial = new Controller(options.controller);
    this.#fetched = Array.from({ length: options.shards }, () => ({ version: 0, parameters: new Map() }));
  }

  /** The parameters are those of this server, until the next call. */
  async fetch(): Promise<Fetched> {
    const heads = await this.#takeHeads();
    for (let shard = 0; shard < this.options.shards; shard++) await this.#fetchShard(shard);
    const parameters = new Map<string, Tensor>();
    for (const [name, initial] of this.#initial.parametersByName()) {
      const { parameters: known } = this.#fetched[this.#shardOf(name)] as FetchedShard;
      parameters.set(name, known.get(name) ?? initial);
    }
    return { versions: this.#fetched.map(({ version }) => version), heads, parameters };
  }

  async grow(heads: readonly string[]): Promise<void> {
    if (heads.length > 0) await this.client.eval(GROW, 1, this.#headsKey, ...heads);
  }

  /** A gradient that was pushed before under the same name is not taken again. */
  async push({
    parameters,
    drawnAt,
    name = randomBytes(12).toString('hex'),
    said,
  }: Gradient & Partial<NamedGradient>): Promise<Pushed> {
    const { shards, accumulate } = this.options;
    const taken: { before: number; after: number }[] = [];
    // Shard 0 last: what is said of the gradient stands there, and then every shard has its part.
    for (let shard = shards - 1; shard >= 0; shard--) {
      const part = new Map([...parameters].filter(([one]) => this.#shardOf(one) === shard));
      const keys = keysOfShard(this.run, shard);
      const staleness = Math.max(
        0,
        ...taken.flatMap((one, at) => (one === undefined ? [] : one.before - (drawnAt[at] as number))),
      );
      const [isNew, version, pending] = (await this.client.eval(
        PUSH,
        4,
        ...[keys.state, keys.pending, keys.taken, keys.said],
        name,
        toBytes(part),
        shard === 0 && said !== undefined ? JSON.stringify({ ...said, staleness }) : '',
      )) as [number, number, number];
      const before = version + Math.floor(pending / accumulate);
      const after = version + Math.floor((pending + isNew) / accumulate);
      taken[shard] = { before, after };
      if (after > version) await this.#update(shard);
    }
    return {
      staleness: Math.max(...taken.map(({ before }, shard) => before - (drawnAt[shard] as number))),
      updated: taken[0]?.after !== taken[0]?.before,
      versions: taken.map(({ after }) => after),
    };
  }

  /** Takes all shards out of Redis. */
  async remove(): Promise<void> {
    for (let shard = 0; shard < this.options.shards; shard++)
      await this.client.del(...Object.values(keysOfShard(this.run, shard)));
    await this.client.del(this.#headsKey);
  }

  free(): void {
    this.#initial.free();
    for (const { parameters } of this.#fetched) for (const tensor of parameters.values()) tensor.free();
  }

  get #headsKey(): string {
    return `${prefixOf(this.run)}:heads`;
  }

  #shardOf(name: string): number {
    let shard = this.#shards.get(name);
    if (shard === undefined) {
      shard = shardOf(name, this.options.shards);
      this.#shards.set(name, shard);
    }
    return shard;
  }

  async #takeHeads(): Promise<readonly string[]> {
    const heads = await this.client.lrange(this.#headsKey, 0, -1);
    for (const head of heads) if (!(head in this.#initial.heads)) this.#initial.addHead(head);
    return heads;
  }

  async #fetchShard(shard: number): Promise<void> {
    const keys = keysOfShard(this.run, shard);
    // The process that should have made an update may have died.
    if ((await this.client.llen(keys.pending)) >= this.options.accumulate) await this.#update(shard);
    const known = this.#fetched[shard] as FetchedShard;
    const version = Number((await this.client.hget(keys.state, 'version')) ?? 0);
    if (version === known.version) return;
    const [at, bytes] = await this.client.hmgetBuffer(keys.state, 'version', 'parameters');
    // The search may have ended, and taken everything away.
    const parameters = bytes ? fromBytes(bytes) : new Map<string, Tensor>();
    for (const tensor of parameters.values()) tensor.keep();
    for (const tensor of known.parameters.values()) tensor.free();
    this.#fetched[shard] = { version: Number(at ?? 0), parameters };
  }

  /** Makes all updates that there are gradients for. */
  async #update(shard: number): Promise<void> {
    const { accumulate, updateOf } = this.options;
    const keys = keysOfShard(this.run, shard);
    for (;;) {
      const read = await this.client
        .multi()
        .hmgetBuffer(keys.state, 'version', 'parameters', 'adam')
        .lrangeBuffer(keys.pending, 0, accumulate - 1)
        .lrange(keys.said, 0, accumulate - 1)
        .exec();
      const [[, state], [, pending], [, said]] = read as unknown as [
        [null, (Buffer | null)[]],
        [null, Buffer[]],
        [null, string[]],
      ];
      if (pending.length < accumulate) return;
      // A gradient may be for a head that this process does not know yet.
      await this.#takeHeads();
      const version = Number(state[0] ?? 0);
      const { parameters, adam } = scope(() => this.#step(shard, version, state[1], state[2], pending));
      const update =
        said.length === 0 || updateOf === undefined
          ? ''
          : JSON.stringify(
              updateOf(
                version + 1,
                said.map((text) => JSON.parse(text) as Json),
              ),
            );
      await this.client.eval(
        COMMIT,
        4,
        ...[keys.state, keys.pending, keys.updates, keys.said],
        ...[version, accumulate, parameters, adam, update],
      );
    }
  }

  /** The state of a shard after an update with these gradients. */
  #step(
    shard: number,
    version: number,
    parametersNow: Buffer | null | undefined,
    adamNow: Buffer | null | undefined,
    gradients: readonly Buffer[],
  ): { readonly parameters: Buffer; readonly adam: Buffer } {
    const known = parametersNow ? fromBytes(parametersNow) : new Map<string, Tensor>();
    const made = new Shard(this.options);
    try {
      made.add(known);
      if (adamNow) made.loadStateDict(fromBytes(adamNow), { version, accumulated: 0 });
      const fresh = new Map<string, Tensor>();
      for (const [name, initial] of this.#initial.parametersByName())
        if (!known.has(name) && this.#shardOf(name) === shard)
          fresh.set(
            name,
            noGrad(() => initial.clone()),
          );
      made.add(fresh);
      for (const bytes of gradients) made.push(fromBytes(bytes));
      return { parameters: toBytes(new Map([...known, ...fresh])), adam: toBytes(made.stateDict()) };
    } finally {
      made.free();
    }
  }
}
