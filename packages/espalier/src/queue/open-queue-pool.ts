import { InputError } from '../input-error.js';
import type { OpenTrialPool } from '../runs/trial-pool.js';
import type { PolicyGradientOptions } from '../strategies/policy-gradient-options.js';
import type { Strategy, StrategyStart } from '../strategies/strategy.js';
import type { ReplicaOffer } from './policy-offer.js';
import type { QueuePoolSettings } from './queue-pool.js';

/** What a search has in other processes. */
export interface RemoteParts {
  readonly openPool: OpenTrialPool;
  /** The strategy of a search whose controller replicas are elsewhere. */
  replicas(offer: ReplicaOffer, start: StrategyStart<PolicyGradientOptions>): Strategy;
}

/**
 * Prepares a search whose children workers of a Redis train.
 *
 * @param prepare is given what the search has elsewhere; undefined without a Redis
 * @throws InputError where nothing opens the pool: an estimator that trains no children measures in this process
 */
export async function withQueue<T extends { close(): Promise<void> }>(
  settings: QueuePoolSettings | undefined,
  prepare: (remote?: RemoteParts) => Promise<T>,
): Promise<T> {
  if (settings === undefined) return prepare();
  // The clients of Redis take longer to load than many a command takes in all.
  const { QueuePool } = await import('./queue-pool.js');
  const { RemoteReplicas } = await import('./remote-replicas.js');
  let isOpen = false;
  const prepared = await prepare({
    openPool(options) {
      isOpen = true;
      return new QueuePool(options, settings);
    },
    replicas: (offer, start) => new RemoteReplicas(settings.address, offer, start),
  });
  if (isOpen) return prepared;
  await prepared.close();
  throw new InputError(
    `--redis ${settings.address.shown}: workers train children, and the estimator of this search measures without any`,
  );
}
