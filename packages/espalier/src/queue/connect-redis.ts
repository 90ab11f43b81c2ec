import { Redis } from 'ioredis';
import { InputError } from '../input-error.js';
import { PASSWORD_VARIABLE, type RedisAddress } from './redis-address.js';

/** The oldest Redis that BullMQ and our scripts work with. */
const OLDEST: readonly [number, number] = [6, 2];

/** How long the first connection may take. */
const FIRST_MS = 10_000;

/** A connection that has been silent for so long, although something was asked, is given up and made anew. */
const SILENT_MS = 20_000;

/** Waits longer and longer before it tries again, but never longer than this. */
const RETRY_MS = 2000;

/** A Redis that answers. */
export interface ConnectedRedis {
  readonly client: Redis;
  /** What a person should know of its settings. */
  readonly warnings: readonly string[];
}

/**
 * Connects to a Redis. After that an outage is waited for: commands are sent once it answers again.
 *
 * @param said is told when it cannot be reached any more, and when it can again
 * @throws InputError where none answers, it wants another password, or it is too old
 */
export async function connectRedis(
  { shown, secret }: RedisAddress,
  said: (text: string) => void,
): Promise<ConnectedRedis> {
  let everReady = false;
  const client = new Redis(secret, {
    lazyConnect: true,
    maxRetriesPerRequest: null,
    connectTimeout: FIRST_MS,
    socketTimeout: SILENT_MS,
    keepAlive: SILENT_MS / 2,
    retryStrategy: (times) => (everReady ? Math.min(100 * times, RETRY_MS) : null),
  });
  const state = { reason: '', isAway: false };
  // ioredis tells why in this event, and only that it is closed in the other.
  client.on('error', (error: NodeJS.ErrnoException) => {
    state.reason = error.code ?? error.message;
  });
  try {
    await client.connect();
  } catch (error) {
    client.disconnect();
    const reason = state.reason || (error as Error).message;
    throw new InputError(
      /^(NOAUTH|WRONGPASS)/.test(reason)
        ? `--redis ${shown}: ${reason.replace(/\.$/, '')}; a password stands in the URL or in ${PASSWORD_VARIABLE}`
        : `--redis ${shown}: no Redis answers here: ${reason}`,
    );
  }
  everReady = true;
  client.on('close', () => {
    if (state.isAway || client.status === 'end') return;
    state.isAway = true;
    said(`Redis at ${shown} cannot be reached; waiting for it`);
  });
  client.on('ready', () => {
    if (!state.isAway) return;
    state.isAway = false;
    said(`Redis at ${shown} answers again`);
  });
  try {
    return { client, warnings: await examine(client, shown) };
  } catch (error) {
    client.disconnect();
    if (error instanceof InputError) throw error;
    throw new InputError(`--redis ${shown}: ${(error as Error).message}`);
  }
}

/** @returns what makes it lose jobs. @throws InputError for one that is too old */
async function examine(client: Redis, shown: string): Promise<string[]> {
  const facts = await client.info();
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\\s*$`, 'm').exec(facts)?.[1];
  const version = fact('redis_version') ?? '0.0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    throw new InputError(`--redis ${shown}: it is Redis ${version}; allowed: ${OLDEST.join('.')} and newer`);
  const warnings = [];
  if (fact('aof_enabled') !== '1')
    warnings.push(
      `Redis at ${shown} has no append-only file: if it stops, children that are out are trained again (appendonly yes)`,
    );
  const policy = fact('maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction')
    warnings.push(
      `Redis at ${shown} has maxmemory-policy ${policy}: it may throw jobs away when its memory is full (noeviction)`,
    );
  return warnings;
}
