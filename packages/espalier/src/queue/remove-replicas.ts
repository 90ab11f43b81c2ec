import type { Redis } from 'ioredis';
import type { PolicyGradientOptions } from '../strategies/policy-gradient-options.js';
import { Minibatches } from './minibatches.js';
import { serverOptions } from './policy-offer.js';
import { RedisParameterServer } from './redis-parameter-server.js';

/** Takes the parameter server and the minibatches of a run out of Redis. */
export async function removeReplicas(
  client: Redis,
  run: string,
  options: PolicyGradientOptions,
  seed: number,
): Promise<void> {
  await new Minibatches(client, run).remove();
  const server = new RedisParameterServer(client, run, serverOptions(options, seed));
  await server.remove();
  server.free();
}
