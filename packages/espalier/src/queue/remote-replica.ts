import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { scope } from '@espalier/torch';
import type { Redis } from 'ioredis';
import { fromBytes, toBytes } from '../controller/tensor-bytes.js';
import type { Policy } from '../policy-gradient/policy.js';
import { Replica } from '../policy-gradient/replica.js';
import { baselineAfter, meanOf } from '../policy-gradient/reward.js';
import { Random } from '../random/random.js';
import type { Space } from '../space/space.js';
import type { PolicyGradientOptions } from '../strategies/policy-gradient-options.js';
import { HOLD_MS, Minibatches, type MinibatchRecord } from './minibatches.js';
import { serverOptions } from './policy-offer.js';
import { RedisParameterServer } from './redis-parameter-server.js';

export interface RemoteReplicaOptions {
  readonly client: Redis;
  readonly run: string;
  readonly space: Space;
  /** Of the strategy, which its random numbers are named after. */
  readonly strategy: string;
  readonly policy: Policy;
  readonly options: PolicyGradientOptions;
  readonly seed: number;
  say(text: string): void;
}

/** How often it looks for rewards, or whether it may begin. */
const LOOK_EVERY_MS = 100;

/** A minibatch at work. */
interface AtWork {
  readonly id: string;
  readonly record: MinibatchRecord;
}

/**
 * A replica of the controller in a process of its own. It fetches the parameters, draws m children, waits for their rewards,
 * and pushes its gradient, as `PolicyGradientSearch` has its replicas do. Its minibatch stands in Redis from the moment that
 * its children are drawn: where the replica dies, another one goes on with it.
 */
export class RemoteReplica {
  readonly #options: RemoteReplicaOptions;
  readonly #server: RedisParameterServer;
  readonly #minibatches: Minibatches;
  readonly #name = randomBytes(8).toString('hex');
  readonly #spaces = new Map<number | undefined, Space>();
  readonly #depth: number | undefined;

  constructor(options: RemoteReplicaOptions) {
    this.#options = options;
    const { client, run, seed, space } = options;
    this.#server = new RedisParameterServer(client, run, serverOptions(options.options, seed));
    this.#minibatches = new Minibatches(client, run);
    const { depthOption } = space.definition;
    if (depthOption !== undefined && options.options.growEvery > 0)
      this.#depth = space.options[depthOption] as number;
  }

  /** Works until it is stopped, or the run has ended. A minibatch that is open then is left to another replica. */
  async work(signal: AbortSignal): Promise<void> {
    const { strategy, seed, options } = this.#options;
    const index = await this.#minibatches.newReplica();
    const replica = new Replica({
      controller: serverOptions(options, seed).controller,
      children: options.children,
      random: Random.of(seed, index === 0 ? strategy : `${strategy}, replica ${index}`),
    });
    try {
      while (!signal.aborted) {
        const work = (await this.#takeOver(replica)) ?? (await this.#begin(replica));
        if (work === undefined) await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
        else await this.#goOn(replica, work, signal);
      }
    } finally {
      replica.free();
      this.#server.free();
    }
  }

  /** Takes a minibatch whose replica is gone. */
  async #takeOver(replica: Replica): Promise<AtWork | undefined> {
    const minibatches = this.#minibatches;
    for (const id of await minibatches.open()) {
      if (!(await minibatches.hold(id, this.#name))) continue;
      const [record, bytes] = [await minibatches.read(id), await minibatches.drawnWith(id)];
      if (record === undefined || bytes === null) continue;
      this.#options.say(`minibatch ${id}: taken over`);
      scope(() =>
        replica.begin({ versions: record.drawnAt, heads: record.heads, parameters: fromBytes(bytes) }),
      );
      return { id, record };
    }
    return undefined;
  }

  /** Draws the children of a minibatch. @returns undefined where it may not begin yet */
  async #begin(replica: Replica): Promise<AtWork | undefined> {
    const { children, maxStaleness, accumulate } = this.#options.options;
    const drawn = await this.#minibatches.drawn();
    const fetched = await this.#server.fetch();
    const before = replica.json().random;
    replica.begin(fetched);
    const made = Array.from({ length: children }, (_, child) => {
      const depth = this.#depthOf(drawn + child);
      return { answers: replica.draw(this.#spaceOf(depth)), ...(depth === undefined ? {} : { depth }) };
    });
    await this.#server.grow(replica.takeNewHeads());
    const { heads, parameters } = replica.parameters;
    const record: MinibatchRecord = { children: made, drawnAt: [...fetched.versions], heads: [...heads] };
    const id = await this.#minibatches.begin({
      ...{ record, drawn, accumulate, most: maxStaleness, passes: this.#options.policy.passes },
      ...{ holder: this.#name, parameters: scope(() => toBytes(parameters)) },
    });
    if (id !== undefined) return { id, record };
    // Another replica was first, or the bound makes it wait: the same children are drawn next time.
    replica.restore({ random: before, drawnAt: null, drawn: 0, told: [] });
    return undefined;
  }

  async #goOn(replica: Replica, { id, record }: AtWork, signal: AbortSignal): Promise<void> {
    const { say } = this.#options;
    let isHeld = true;
    const holding = setInterval(() => {
      void this.#minibatches.hold(id, this.#name).then((held) => {
        isHeld = held;
      });
    }, HOLD_MS / 3);
    try {
      let rewards: number[] | undefined;
      for (;;) {
        rewards = await this.#minibatches.rewards(id, record.children.length);
        if (rewards !== undefined || signal.aborted || !isHeld) break;
        await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
      }
      if (signal.aborted) {
        await this.#minibatches.letGo(id);
        return;
      }
      // Another replica has it: this one was silent for too long.
      if (!isHeld || rewards === undefined || !(await this.#minibatches.hold(id, this.#name))) return;
      await this.#learn(replica, id, record, rewards);
      say(`minibatch ${id}: ${rewards.length} children, mean reward ${meanOf(rewards).toPrecision(4)}`);
    } finally {
      clearInterval(holding);
      replica.end();
    }
  }

  /** As `PolicyGradientSearch` does it, but that the server is elsewhere. */
  async #learn(
    replica: Replica,
    id: string,
    { children }: MinibatchRecord,
    rewards: readonly number[],
  ): Promise<void> {
    const { policy, options } = this.#options;
    const { entropyWeight, baselineDecay } = options;
    const meanReward = meanOf(rewards);
    const baseline = await this.#minibatches.baseline(id, meanReward, (now) =>
      baselineAfter(now, rewards, baselineDecay),
    );
    const advantages = rewards.map((reward) => reward - baseline);
    const sequences = children.map(({ depth, answers }) => this.#spaceOf(depth).trace(answers));
    const drawn = policy.atNewest ? replica.probabilities(sequences) : [];
    try {
      for (let pass = 0; pass < policy.passes; pass++) {
        if (policy.atNewest) replica.load(await this.#server.fetch());
        const name = `${id}-${pass}`;
        const made = scope(() => {
          const { parameters, entropy, facts } = replica.gradient(
            policy,
            sequences,
            { advantages, drawn },
            entropyWeight,
          );
          const kept = new Map([...parameters].map(([key, one]) => [key, one.keep()] as const));
          return { parameters: kept, facts: { entropy, ...facts } };
        });
        try {
          const pushed = await this.#server.push({
            ...{ parameters: made.parameters, drawnAt: replica.drawnAt as readonly number[], name },
            said: { meanReward, baseline, facts: made.facts },
          });
          replica.pushed(pushed);
        } finally {
          for (const one of made.parameters.values()) one.free();
        }
        await this.#minibatches.drawnAt(id, replica.drawnAt?.[0] as number);
      }
    } finally {
      for (const { logProbability } of drawn) logProbability.free();
    }
    await this.#minibatches.end(id);
  }

  /** See `PolicyGradientSearch`. */
  #depthOf(sample: number): number | undefined {
    const { growEvery, growBy } = this.#options.options;
    return this.#depth === undefined ? undefined : this.#depth + growBy * Math.floor(sample / growEvery);
  }

  #spaceOf(depth: number | undefined): Space {
    const { space } = this.#options;
    let own = this.#spaces.get(depth);
    if (own === undefined) {
      own = depth === undefined ? space : space.withDepth(depth);
      this.#spaces.set(depth, own);
    }
    return own;
  }
}
