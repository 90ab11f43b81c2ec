/** A worker whose children only wait: `pretending-worker.mjs URL SLOTS SECONDS`. */
import { setTimeout } from 'node:timers/promises';
import { QueueWorker } from '../../packages/espalier/dist/queue/queue-worker.js';
import { redisAddress } from '../../packages/espalier/dist/queue/redis-address.js';
import { Random } from '../../packages/espalier/dist/random/random.js';

const [url, slots, seconds] = process.argv.slice(2);
const SIGMA = 0.5;

const openPool = () => ({
  ready: async () => {},
  async estimate({ seed }, { signal }) {
    // exp(sigma N - sigma^2 / 2) has mean 1.
    const worked = Number(seconds) * Math.exp(SIGMA * Random.of(seed, 'seconds').normal() - SIGMA ** 2 / 2);
    await setTimeout(worked * 1000, undefined, { signal });
    return { measures: { accuracy: Random.of(seed, 'accuracy').uniform() }, clock: { worked } };
  },
  close: async () => {},
});

await new QueueWorker({
  address: redisAddress(url),
  slots: Number(slots),
  ...{ devices: [], code: [], data: [], leaseSeconds: 30, graceSeconds: 0, openPool },
  say: () => {},
}).work(new AbortController().signal);
