import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  accuracy,
  createStrategy,
  RunFolder,
  runSearch,
  Space,
  spaces,
  strategies,
} from '../../packages/espalier/dist/index.js';
import { QueuePool } from '../../packages/espalier/dist/queue/queue-pool.js';
import { redisAddress } from '../../packages/espalier/dist/queue/redis-address.js';

/** @typedef {{ folder: string, url: string, trials: number, children: number, seconds: number, workers: number }} Settings */

// V8 collects garbage when it likes; what counts is what is still in use.
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');
const program = fileURLToPath(new URL('pretending-worker.mjs', import.meta.url));

/** A search whose children take so many seconds on average (log-normal, sigma 0.5), on workers that are all on this machine. */
export async function children(
  /** @type {Settings} */ { folder, url, trials, children: out, seconds, workers },
  /** @type {import('ioredis').Redis} */ redis,
  /** @type {(line: string) => void} */ say,
) {
  const slots = Math.ceil(out / workers);
  const processes = Array.from({ length: workers }, () =>
    spawn(process.execPath, [program, url, `${slots}`, `${seconds}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  );
  const header = { seed: 1, trials, workers: out, order: 'arrival', objectives: [accuracy] };
  const run = RunFolder.create(join(folder, 'run'), header);
  const space = Space.configure(spaces.get('nasbench201'), {});
  const strategy = createStrategy(strategies.get('random'), {
    space,
    seed: 1,
    // The space has fewer architectures than a large run has trials.
    options: { unique: false },
    objectives: header.objectives,
  });
  const pool = new QueuePool(
    {
      module: 'none',
      init: {
        space: 'nasbench201',
        spaceOptions: {},
        task: { name: 'image-classification', data: 'mnist', seed: 1 },
        training: {},
        folder: '/',
      },
      workers: [{ threads: 1 }],
      data: { name: 'mnist', checksum: 'none' },
      objectives: header.objectives,
    },
    { address: redisAddress(url), priority: 0 },
  );
  await pool.ready();
  /** @type {{ rss: number, heap: number }[]} */
  const memory = [];
  let told = 0;
  const redisBefore = await cpuOf(redis);
  const before = process.cpuUsage();
  const begun = performance.now();
  const estimator = {
    begin: (search) => pool.begin(search),
    forget: (trial) => pool.forget(trial),
    estimate: (request, context) => pool.estimate(request, context, 1),
  };
  try {
    await runSearch({
      ...{ folder: run, header, strategy, estimator },
      report: (notice) => {
        if (notice.kind !== 'event' || notice.event.event !== 'result') return;
        told++;
        if (told % Math.ceil(trials / 10) !== 0) return;
        collectGarbage();
        const { rss, heapUsed } = process.memoryUsage();
        memory.push({ rss, heap: heapUsed });
      },
    });
  } finally {
    await pool.close();
    strategy.close();
    for (const one of processes) one.kill('SIGKILL');
  }
  const wall = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  const lines = readFileSync(run.journal, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const results = lines.filter(({ event }) => event === 'result');
  const worked = results.reduce((sum, { clock }) => sum + clock.worked, 0);
  // While the first ones start, and while the last ones end, there is not enough to do for all.
  const from = results[out]?.clock.elapsed ?? 0;
  const steady = results.slice(out, -out);
  const until = steady.at(-1)?.clock.elapsed ?? wall;
  const use = steady.reduce((sum, { clock }) => sum + clock.worked, 0) / ((until - from) * out);
  const figures = {
    trials: results.length,
    failed: results.filter(({ status }) => status !== 'ok').length,
    children: out,
    wallSeconds: wall,
    trialsASecond: results.length / wall,
    meanSeconds: worked / results.length,
    use,
    coordinatorMsATrial: (user + system) / 1000 / results.length,
    redisMsATrial: (1000 * ((await cpuOf(redis)) - redisBefore)) / results.length,
    memory,
  };
  const mb = (bytes) => Math.round((bytes ?? 0) / 2 ** 20);
  const [first, last] = [memory[0], memory.at(-1)];
  const grown = ((last?.heap ?? 0) - (first?.heap ?? 0)) / (results.length - Math.ceil(trials / 10));
  say(
    `${figures.trials} trials (${figures.failed} failed), ${out} at a time on ${workers} workers, ${figures.meanSeconds.toFixed(2)} s each: ` +
      `${figures.trialsASecond.toFixed(1)} a second, ${(100 * use).toFixed(1)}% of the children's time used`,
  );
  say(
    `a trial takes ${figures.coordinatorMsATrial.toFixed(2)} ms of the coordinator and ${figures.redisMsATrial.toFixed(2)} ms of Redis; ` +
      `the coordinator has ${mb(first?.rss)} MB after a tenth of the trials, ${mb(last?.rss)} MB at the end, of which ` +
      `${mb(first?.heap)} and ${mb(last?.heap)} MB are its objects: ${Math.round(grown)} bytes a trial`,
  );
  return figures;
}

/** Seconds of CPU that Redis has taken. */
async function cpuOf(/** @type {import('ioredis').Redis} */ redis) {
  const facts = await redis.info('cpu');
  return ['used_cpu_sys', 'used_cpu_user']
    .map((name) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(facts)?.[1]))
    .reduce((a, b) => a + b);
}
