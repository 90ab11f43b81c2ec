import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  accuracy,
  createStrategy,
  RunFolder,
  runSearch,
  Space,
  setThreads,
  spaces,
  strategies,
} from '../../packages/espalier/dist/index.js';
import { ChildPool } from '../../packages/espalier/dist/runs/child-pool.js';
import { share } from './share.mjs';

/** Searches with children of about a second: with one worker all waiting is the search's own. */
export async function children(/** @type {string} */ folder, /** @type {(line: string) => void} */ say) {
  const figures = [];
  for (const workers of new Set([1, availableParallelism()]))
    figures.push(await childrenOfOneSecond(join(folder, `${workers}`), workers, say));
  return figures;
}

/**
 * A search with reinforcement learning of `zoph-cnn` at the paper's depth of 15 layers. Whatever is not work of a child is
 * time that the workers wait for, and time of the search's own process on the same cores.
 */
async function childrenOfOneSecond(
  /** @type {string} */ path,
  /** @type {number} */ workers,
  /** @type {(line: string) => void} */ say,
) {
  const header = { seed: 1, trials: 100, workers, order: 'virtual', objectives: [accuracy] };
  const run = RunFolder.create(path, header);
  const space = Space.configure(spaces.get('zoph-cnn'), {});
  const strategy = createStrategy(strategies.get('reinforce'), {
    space,
    seed: 1,
    objectives: header.objectives,
  });
  const pool = new ChildPool({
    module: new URL('../driver/one-second-child.mjs', import.meta.url),
    workers: Array.from({ length: workers }, () => ({ threads: 1 })),
    init: { products: 330 },
  });
  await pool.ready();
  setThreads(1); // as prepareExperiment does
  const begun = performance.now();
  const before = process.cpuUsage();
  try {
    await runSearch({ folder: run, header, strategy, estimator: pool });
  } finally {
    await pool.close();
    strategy.close();
  }
  const wall = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  const busy = readFileSync(run.journal, 'utf8')
    .trim()
    .split('\n')
    .flatMap((line) => JSON.parse(line).clock?.busySeconds ?? []);
  const total = busy.reduce((sum, seconds) => sum + seconds, 0);
  const waits = 1 - total / (workers * wall);
  const ownMs = (user + system) / 1e3 / busy.length;
  say(
    `reinforce, zoph-cnn, ${busy.length} children of ${(total / busy.length).toFixed(2)} s, workers ${workers}: ` +
      `they wait ${share(waits)} of the time, the search's own process works for ${ownMs.toFixed(0)} ms a child`,
  );
  return { workers, waits, ownMs };
}
