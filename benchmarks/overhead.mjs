/**
 * What a search takes besides its children and its steps: journal, snapshots, controller, messages between processes.
 *
 *     npm run bench:overhead
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginSupernetRun, continueSupernetRun } from '../packages/espalier/dist/experiments/supernet-run.js';
import { RunFolder, runSearch, Space, spaces, strategies } from '../packages/espalier/dist/index.js';
import { ChildPool } from '../packages/espalier/dist/runs/child-pool.js';
import { weightSharing } from '../packages/espalier/dist/weight-sharing/weight-sharing-names.js';
import { setThreads } from '../packages/torch/dist/index.js';

const share = (/** @type {number} */ part) => `${(100 * part).toFixed(2)}%`;
const folder = mkdtempSync(join(tmpdir(), 'espalier-overhead-'));
try {
  // Of one worker all waiting is the search's; several wait for each other too, since results are told in their order.
  for (const workers of new Set([1, availableParallelism()])) await childrenOfOneSecond(workers);
  await epochsOfDarts('16 channels, 8 cells', { channels: 16, layers: 8 }, 2560);
  await epochsOfDarts('4 channels, 5 cells', { channels: 4, layers: 5 }, 8000);
} finally {
  rmSync(folder, { recursive: true });
}

/**
 * An RL search of `zoph-cnn` at the paper's 15 layers. What is not work of a child is what the workers wait for, and what
 * the search's own process takes of the cores meanwhile.
 */
async function childrenOfOneSecond(/** @type {number} */ workers) {
  const header = { seed: 1, trials: 100, workers };
  const path = join(folder, `reinforce ${workers}`);
  const run = RunFolder.create(path, header);
  const definition = strategies.get('reinforce');
  const space = Space.configure(spaces.get('zoph-cnn'), {});
  const strategy = definition.create({ space, seed: 1, options: definition.options.parse({}) });
  const pool = new ChildPool({
    module: new URL('./driver/one-second-child.mjs', import.meta.url),
    workers,
    init: { products: 330 },
    env: { OMP_NUM_THREADS: '1' },
  });
  await pool.ready();
  setThreads(1); // as prepareExperiment does
  const begun = performance.now();
  const before = process.cpuUsage();
  try {
    await runSearch({ folder: run, header, strategy, estimator: pool });
  } finally {
    await pool.close();
  }
  const wall = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(before);
  const busy = readFileSync(run.journal, 'utf8')
    .trim()
    .split('\n')
    .flatMap((line) => JSON.parse(line).clock?.busySeconds ?? []);
  const total = busy.reduce((sum, seconds) => sum + seconds, 0);
  console.log(
    `reinforce, zoph-cnn, ${busy.length} children of ${(total / busy.length).toFixed(2)} s, workers ${workers}: ` +
      `they wait ${share(1 - total / (workers * wall))} of the time, ` +
      `the search's own process works for ${((user + system) / 1e3 / busy.length).toFixed(0)} ms a child`,
  );
}

/** Epochs of first-order DARTS on MNIST. What is no step and no validation of the supernet is reading data and saving. */
async function epochsOfDarts(
  /** @type {string} */ name,
  /** @type {Record<string, number>} */ spaceOptions,
  /** @type {number} */ limit,
) {
  const definition = weightSharing.get('darts');
  const { create } = definition;
  let work = 0;
  let begun = 0;
  let ended = 0;
  definition.create = (start) => {
    const search = create(start);
    for (const method of ['step', 'endEpoch']) {
      const own = search[method].bind(search);
      search[method] = (...given) => {
        const from = performance.now();
        try {
          return own(...given);
        } finally {
          work += performance.now() - from;
        }
      };
    }
    const choose = search.choose.bind(search);
    search.choose = () => {
      ended = performance.now();
      return choose();
    };
    return search;
  };
  const path = join(folder, `darts ${name}`);
  const epochs = 2;
  await beginSupernetRun(path, {
    space: 'darts-cnn',
    spaceOptions,
    strategy: 'darts',
    strategyOptions: { epochs },
    task: { data: 'mnist', limit, seed: 1 },
    seed: 1,
    threads: availableParallelism(),
  });
  let steps = 0;
  await continueSupernetRun(path, {
    signal: new AbortController().signal,
    step() {
      // The first step is left out with all that came before it: supernet and optimisers are made in it.
      if (steps++ === 0) {
        begun = performance.now();
        work = 0;
      }
    },
    epochEnded() {},
    choice() {},
    message() {},
  });
  definition.create = create;
  const total = ended - begun;
  console.log(
    `darts, ${name}: ${epochs} epochs of ${(total / epochs / 1000).toFixed(1)} s, ${steps / epochs} steps each, ` +
      `${share(1 - work / total)} of them neither step nor validation`,
  );
}
