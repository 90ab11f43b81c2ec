import { InputError } from '../input-error.js';
import { withoutSecrets } from '../runs/without-secrets.js';

/** How an address is written. */
export const REDIS_FORM = 'redis://[user:password@]host[:port][/database], or rediss:// for TLS';

/** The environment variable of a password that is not to stand on a command line. */
export const PASSWORD_VARIABLE = 'ESPALIER_REDIS_PASSWORD';

/** Where a Redis is. */
export interface RedisAddress {
  /** Without user and password: what journals, manifests and messages say. */
  readonly shown: string;
  /** With them. It goes to Redis only. */
  readonly secret: string;
}

/**
 * The address in a URL, `redis://[user:password@]host[:port][/database]`, or `rediss://` for TLS. A password that it lacks is
 * taken from the environment.
 *
 * @throws InputError for anything else; the message has no password
 */
export function redisAddress(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isRedis = url !== null && ['redis:', 'rediss:'].includes(url.protocol) && url.hostname !== '';
  if (!isRedis || !/^(\/\d*)?$/.test(url.pathname) || url.search !== '' || url.hash !== '')
    throw new InputError(`--redis '${withoutSecrets(text)}': allowed: ${REDIS_FORM}`);
  const secret = new URL(url);
  const { [PASSWORD_VARIABLE]: password } = process.env;
  if (secret.password === '' && password !== undefined) secret.password = encodeURIComponent(password);
  return { shown: withoutSecrets(url.href), secret: secret.href };
}
