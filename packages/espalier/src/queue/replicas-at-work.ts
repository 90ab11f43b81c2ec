import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../input-error.js';
import { runIdOf } from '../runs/run-id.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import type { PolicyGradientOptions } from '../strategies/policy-gradient-options.js';
import type { AnyStrategyDefinition } from '../strategies/strategy.js';
import { strategies } from '../strategies/strategy-names.js';
import { connectRedis } from './connect-redis.js';
import { OwnParts, readVersioned } from './own-parts.js';
import { type PolicyOffer, policyKey, policyOffer } from './policy-offer.js';
import type { RedisAddress } from './redis-address.js';
import { RemoteReplica } from './remote-replica.js';
import { removeReplicas } from './remove-replicas.js';

export interface ReplicasOptions {
  readonly address: RedisAddress;
  /** The folder of a run, or its id. */
  readonly run: string;
  /** Number of replicas in this process. */
  readonly replicas: number;
  /** The user's files that may be run here. */
  readonly code: readonly string[];
  say(text: string): void;
}

/** How often it looks whether the run has ended. */
const LOOK_EVERY_MS = 1000;

/**
 * Runs replicas of the controller of a run until it ends, or they are stopped.
 *
 * @throws InputError where the run is not in this Redis, or this machine lacks what it needs
 */
export async function workAsReplicas(options: ReplicasOptions, signal: AbortSignal): Promise<void> {
  const { address, replicas, say } = options;
  const parts = new OwnParts(options.code, []);
  const run = existsSync(options.run) ? runIdOf(options.run) : options.run;
  const { client } = await connectRedis(address, say);
  try {
    const text = await client.get(policyKey(run));
    if (text === null)
      throw new InputError(
        `${options.run}: no run in ${address.shown} has replicas elsewhere under this name; it is begun with espalier search --redis URL --remote-replicas`,
      );
    const offer = readVersioned(text, policyOffer);
    const space = await spaceOf(offer, parts);
    const definition = strategies.get(offer.strategy) as AnyStrategyDefinition | undefined;
    const policy = definition?.policy?.(offer.strategyOptions);
    if (policy === undefined) throw new InputError(`strategy ${offer.strategy} has no controller replicas`);
    const settings = offer.strategyOptions as unknown as PolicyGradientOptions;
    let hasEnded = false;
    const stopping = new AbortController();
    const stop = () => stopping.abort();
    signal.addEventListener('abort', stop);
    say(`run ${run}: ${replicas} ${replicas === 1 ? 'replica' : 'replicas'} of ${offer.strategy}`);
    const working = Array.from({ length: replicas }, () =>
      new RemoteReplica({
        ...{ client, run, space, policy, say, strategy: offer.strategy, seed: offer.seed },
        options: settings,
      }).work(stopping.signal),
    );
    const watching = (async () => {
      while (!stopping.signal.aborted) {
        await sleep(LOOK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
        if ((await client.exists(policyKey(run))) === 1) continue;
        say(`run ${run}: has ended`);
        hasEnded = true;
        stop();
      }
    })();
    try {
      await Promise.all([...working, watching]);
    } finally {
      stop();
      signal.removeEventListener('abort', stop);
    }
    // What replicas have pushed after the search had taken everything away.
    if (hasEnded) await removeReplicas(client, run, settings, offer.seed);
  } finally {
    client.disconnect();
  }
}

async function spaceOf({ space, spaceChecksum, spaceOptions }: PolicyOffer, parts: OwnParts): Promise<Space> {
  const name = parts.codeFor('space', space, spaceChecksum);
  const { definition } = await findSpace(name, process.cwd());
  return Space.configure(definition, spaceOptions);
}
