import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { isAlive, thisProcess } from '../runs/process-identity.js';

/** A coordinator that is silent for so long has lost its run. */
const CLAIM_MS = 30_000;

const holder = z.object({
  host: z.string(),
  boot: z.string(),
  namespace: z.string(),
  pid: z.int(),
  started: z.string(),
  claim: z.string(),
});

/** Extends the claim if it is still ours, or takes it if nobody has it (Redis was started anew, without its data). */
const RENEW = `
local now = redis.call('GET', KEYS[1])
if now == ARGV[1] or now == false then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
return 0`;

/** Takes the claim of a certain process that has ended. */
const REPLACE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`;

/** The right to coordinate a run, which one process has at a time, whichever copies of its folder there are. */
export class RunClaim {
  readonly #own = JSON.stringify({ ...thisProcess(), claim: randomBytes(8).toString('hex') });

  constructor(
    private readonly client: Redis,
    private readonly key: string,
  ) {}

  /**
   * Takes it. That of a process of this machine that was killed is taken at once; that of one which cannot be seen from
   * here, once it has been silent for long enough.
   *
   * @throws InputError where another process has it
   */
  async take(run: string, message: (text: string) => void): Promise<void> {
    const deadline = performance.now() + CLAIM_MS + 1000;
    for (let said = false; ; said = true) {
      if (await this.renew()) return;
      const text = await this.client.get(this.key);
      if (text === null) continue;
      const other = holder.parse(JSON.parse(text));
      const alive = isAlive(other);
      if (alive === false) {
        const replaced = await this.client.eval(REPLACE, 1, this.key, text, this.#own, CLAIM_MS);
        if (replaced === 1) return;
        continue;
      }
      if (alive === true || performance.now() > deadline)
        throw new InputError(`${run}: process ${other.pid} on ${other.host} coordinates this run`);
      if (!said)
        message(
          `process ${other.pid} on ${other.host} has coordinated this run; waiting up to ${CLAIM_MS / 1000} s for a sign of it`,
        );
      await sleep(1000);
    }
  }

  /** @returns false where another process has it by now */
  async renew(): Promise<boolean> {
    return (await this.client.eval(RENEW, 1, this.key, this.#own, CLAIM_MS)) === 1;
  }

  async release(): Promise<void> {
    await this.client.eval(RELEASE, 1, this.key, this.#own);
  }
}
