import { InputError } from '../input-error.js';
import type { OpenTrialPool } from '../runs/trial-pool.js';
import type { QueuePoolSettings } from './queue-pool.js';

/**
 * Prepares a search whose children workers of a Redis train.
 *
 * @param prepare is given what opens their pool
 * @throws InputError where nothing has opened it: an estimator that trains no children measures in this process
 */
export async function withQueue<T extends { close(): Promise<void> }>(
  settings: QueuePoolSettings | undefined,
  prepare: (openPool?: OpenTrialPool) => Promise<T>,
): Promise<T> {
  if (settings === undefined) return prepare();
  // The clients of Redis take longer to load than many a command takes in all.
  const { QueuePool } = await import('./queue-pool.js');
  let isOpen = false;
  const prepared = await prepare((options) => {
    isOpen = true;
    return new QueuePool(options, settings);
  });
  if (isOpen) return prepared;
  await prepared.close();
  throw new InputError(
    `--redis ${settings.address.shown}: workers train children, and the estimator of this search measures without any`,
  );
}
