import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { Json } from '../json.js';
import type { Measure } from '../measures/measure.js';
import { rewardOf } from '../policy-gradient/reward.js';
import type { Space } from '../space/space.js';
import type { PolicyGradientOptions } from '../strategies/policy-gradient-options.js';
import type {
  Asked,
  Elsewhere,
  Proposal,
  Strategy,
  StrategyEvent,
  StrategyStart,
  TrialResult,
} from '../strategies/strategy.js';
import { connectRedis } from './connect-redis.js';
import { Minibatches, type MinibatchRecord } from './minibatches.js';
import { type PolicyOffer, policyKey, type ReplicaOffer } from './policy-offer.js';
import type { RedisAddress } from './redis-address.js';
import { keysOfShard } from './redis-parameter-server.js';
import { removeReplicas } from './remove-replicas.js';

/** How often it looks for children that were drawn, and updates that were made. */
const LOOK_EVERY_MS = 100;

/** So long a search waits in silence for the first minibatch. */
const ALONE_MS = 10_000;

/** Where a trial comes from. */
const origin = z.strictObject({ minibatch: z.string(), child: z.int().min(0) });

type Origin = z.infer<typeof origin>;

const updateJson = z.looseObject({ event: z.literal('update'), update: z.int() });

/**
 * The strategy of a search whose controller replicas are processes elsewhere (`espalier replica`), with the parameter server
 * in Redis. It hands out what they draw, tells them the rewards, and journals the updates that they make.
 */
export class RemoteReplicas implements Strategy {
  readonly elsewhere: Elsewhere = {
    begin: (search, arrived) => this.#begin(search, arrived),
    recall: (proposal) => this.#recall(proposal),
    recallEvent: (event) => {
      this.#updates = updateJson.parse(event).update;
    },
    takeEvents: () => this.#events.splice(0),
    end: (finished) => this.#end(finished),
  };
  /** Children that were drawn and not asked for. */
  #drawn: Proposal[] = [];
  /** The origins of all trials, and the rewards that are known. */
  readonly #origins: Origin[] = [];
  readonly #rewards = new Map<string, Map<number, number>>();
  readonly #asked = new Set<string>();
  #events: StrategyEvent[] = [];
  /** The last update in the journal, and how many minibatches were looked at. */
  #updates = 0;
  #looked = 0;
  #run = '';
  #minibatches: Minibatches | undefined;
  #client: Redis | undefined;
  #watching: Promise<void> = Promise.resolve();
  readonly #ending = new AbortController();
  readonly #objective: Measure;

  constructor(
    private readonly address: RedisAddress,
    private readonly offer: ReplicaOffer,
    private readonly start: StrategyStart<PolicyGradientOptions>,
  ) {
    this.#objective = start.objectives[0];
  }

  ask(): Asked {
    const next = this.#drawn.shift();
    if (next === undefined) return 'wait';
    this.#note(next);
    return next;
  }

  tell({ trial, outcome }: TrialResult): readonly StrategyEvent[] {
    const of = `strategy ${this.offer.strategy}: the ${this.#objective.name} of trial ${trial}`;
    const reward =
      outcome.status === 'ok' ? rewardOf(this.#objective, outcome.value, this.start.options, of) : 0;
    const { minibatch, child } = this.#origins[trial] as Origin;
    const known = this.#rewards.get(minibatch) ?? new Map<number, number>();
    this.#rewards.set(minibatch, known.set(child, reward));
    // Before it is connected, `begin` hands in what the journal has.
    void this.#minibatches?.reward(minibatch, child, reward).catch(() => {});
    return [];
  }

  #recall(proposal: Proposal): void {
    this.#note(proposal);
  }

  #note(proposal: Proposal): void {
    const from = origin.parse(proposal.origin);
    this.#origins.push(from);
    this.#asked.add(`${from.minibatch}/${from.child}`);
  }

  async #begin(search: Parameters<Elsewhere['begin']>[0], arrived: () => void): Promise<void> {
    const { client } = await connectRedis(this.address, () => {});
    this.#client = client;
    this.#run = search.id;
    const minibatches = new Minibatches(client, search.id);
    this.#minibatches = minibatches;
    const offer: PolicyOffer = { ...this.offer, run: search.id };
    await client.set(policyKey(search.id), JSON.stringify(offer));
    // What an earlier life of the run was told and could not hand in.
    for (const id of await minibatches.open())
      for (const [child, reward] of this.#rewards.get(id) ?? []) await minibatches.reward(id, child, reward);
    this.#watching = this.#watch(search, client, minibatches, arrived);
  }

  async #watch(
    search: Parameters<Elsewhere['begin']>[0],
    client: Redis,
    minibatches: Minibatches,
    arrived: () => void,
  ): Promise<void> {
    const begun = performance.now();
    let saidAlone = false;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        const before = this.#drawn.length + this.#events.length;
        await this.#lookForUpdates(client, search.id);
        await this.#lookForChildren(search, minibatches);
        if (this.#drawn.length + this.#events.length > before) arrived();
        if (!saidAlone && this.#looked === 0 && performance.now() - begun > ALONE_MS) {
          saidAlone = true;
          search.message(
            `no replica draws children of this run; start one: espalier replica --redis ${this.address.shown} ${search.id}`,
          );
        }
        await sleep(LOOK_EVERY_MS, undefined, { signal });
      } catch (error) {
        if (signal.aborted) return;
        search.message(`Redis: ${(error as Error).message}`);
        await sleep(LOOK_EVERY_MS);
      }
    }
  }

  async #lookForUpdates(client: Redis, run: string): Promise<void> {
    for (const text of await client.lrange(keysOfShard(run, 0).updates, this.#updates, -1)) {
      const event = updateJson.parse(JSON.parse(text));
      this.#updates = event.update;
      this.#events.push(event as unknown as StrategyEvent);
    }
  }

  async #lookForChildren(search: Parameters<Elsewhere['begin']>[0], minibatches: Minibatches): Promise<void> {
    const ids = await minibatches.begunAfter(this.#looked);
    for (const id of ids) {
      this.#looked++;
      const record = await minibatches.read(id);
      if (record === undefined) continue;
      try {
        this.#take(id, record);
      } catch (error) {
        search.message(`minibatch ${id} is not of this search: ${(error as Error).message}`);
      }
    }
  }

  #take(id: string, { children }: MinibatchRecord): void {
    const { space } = this.start;
    const proposals = children.map(({ answers, depth }, child): Proposal => {
      (depth === undefined ? space : (space as Space).withDepth(depth)).trace(answers);
      return { answers, ...(depth === undefined ? {} : { depth }), origin: { minibatch: id, child } as Json };
    });
    const isNew = (_: Proposal, child: number) => !this.#asked.has(`${id}/${child}`);
    this.#drawn.push(...proposals.filter(isNew));
  }

  async #end(finished: boolean): Promise<void> {
    this.#ending.abort();
    await this.#watching;
    const client = this.#client;
    if (client === undefined) return;
    if (finished) {
      await client.del(policyKey(this.#run));
      await removeReplicas(client, this.#run, this.start.options, this.start.seed);
    }
    client.disconnect();
  }
}
