import { afterEach, expect, it, vi } from 'vitest';
import { redisAddress } from '../../src/queue/redis-address.js';
import { withoutSecrets } from '../../src/runs/without-secrets.js';

afterEach(() => vi.unstubAllEnvs());

it('an address is shown without its user and password', () => {
  expect(redisAddress('redis://me:p%40ss@host:7000/3')).toEqual({
    shown: 'redis://host:7000/3',
    secret: 'redis://me:p%40ss@host:7000/3',
  });
  expect(redisAddress('rediss://host').shown).toBe('rediss://host');
});

it('a password may come from the environment, and that of the URL goes first', () => {
  vi.stubEnv('ESPALIER_REDIS_PASSWORD', 'a/b');
  expect(redisAddress('redis://host:1')).toEqual({
    shown: 'redis://host:1',
    secret: 'redis://:a%2Fb@host:1',
  });
  expect(redisAddress('redis://:own@host:1').secret).toBe('redis://:own@host:1');
});

it.each([
  'host:6379',
  'http://host',
  'redis://',
  'redis://host/name',
  'redis://host/1?password=x',
  'redis://u:p@ss:word@',
])("'%s' is refused, without its password", (text) => {
  expect(() => redisAddress(text)).toThrow(
    `--redis '${withoutSecrets(text)}': allowed: redis://[user:password@]host[:port][/database], or rediss:// for TLS`,
  );
});

it('a command line is kept without the passwords in its URLs', () => {
  expect(withoutSecrets('--redis=redis://me:a@b@host:1/2')).toBe('--redis=redis://host:1/2');
  expect(withoutSecrets('images:/data/me@home')).toBe('images:/data/me@home');
});
