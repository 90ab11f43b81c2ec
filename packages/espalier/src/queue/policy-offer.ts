import { z } from 'zod';
import type { Json } from '../json.js';
import { type PushedGradient, pushedGradient, updateEvent } from '../policy-gradient/update-event.js';
import { optionValues } from '../space/options.js';
import type { PolicyGradientOptions } from '../strategies/policy-gradient-options.js';
import { PROTOCOL } from './queue-message.js';
import { keysOfShard, type RedisServerOptions } from './redis-parameter-server.js';

/** What a run says to replicas of its controller: names, checksums and plain settings. */
export const policyOffer = z.strictObject({
  protocol: z.literal(PROTOCOL),
  version: z.string(),
  run: z.string().regex(/^[0-9a-f]{16}$/),
  space: z.string(),
  spaceChecksum: z.string().optional(),
  spaceOptions: optionValues,
  strategy: z.string(),
  strategyOptions: optionValues,
  seed: z.int(),
});

export type PolicyOffer = z.infer<typeof policyOffer>;

/** What is known of it before the run has an id. */
export type ReplicaOffer = Omit<PolicyOffer, 'run'>;

/** The key under which a run has its offer for replicas; on the node of shard 0, where minibatches begin. */
export const policyKey = (run: string) => keysOfShard(run, 0).policy;

/** The parameter server of a run, the same in every process. */
export function serverOptions(options: PolicyGradientOptions, seed: number): RedisServerOptions {
  const { hidden, controllerLayers: layers, initialRange, shards, accumulate, learningRate } = options;
  return {
    ...{ shards, accumulate, learningRate },
    controller: { hidden, layers, initialRange, seed },
    updateOf: (update: number, said: readonly Json[]): Json =>
      updateEvent(update, said.map((one) => pushedGradient.parse(one)) satisfies PushedGradient[]),
  };
}
