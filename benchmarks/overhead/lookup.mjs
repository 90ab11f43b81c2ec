import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  accuracy,
  createStrategy,
  RunFolder,
  runSearch,
  Space,
  spaces,
  strategies,
} from '../../packages/espalier/dist/index.js';

const RUNS = 500;
const TRIALS = 100;

/** What a search takes whose estimator only looks its numbers up. */
export async function lookup(/** @type {string} */ folder, /** @type {(line: string) => void} */ say) {
  const space = Space.configure(spaces.get('nasbench201'), {});
  const begun = performance.now();
  for (let seed = 1; seed <= RUNS; seed++) {
    const header = { seed, trials: TRIALS, workers: 1, order: 'arrival', objectives: [accuracy] };
    const strategy = createStrategy(strategies.get('random'), {
      space,
      seed,
      objectives: header.objectives,
    });
    const run = RunFolder.create(join(folder, `${seed}`), header);
    const estimator = { estimate: (request) => ({ measures: { accuracy: (request.seed % 1000) / 1000 } }) };
    await runSearch({ folder: run, header, strategy, estimator });
    strategy.close();
  }
  const secondsARun = (performance.now() - begun) / 1000 / RUNS;
  const files = filesIn(join(folder, '1'));
  say(
    `lookup: ${RUNS} searches of ${TRIALS} trials whose numbers are looked up: ` +
      `${(secondsARun * 1000).toFixed(0)} ms and ${files} files a search`,
  );
  return { runs: RUNS, trials: TRIALS, secondsARun, files };
}

/** @returns {number} */
function filesIn(/** @type {string} */ folder) {
  return readdirSync(folder).reduce((sum, name) => {
    const path = join(folder, name);
    return sum + (statSync(path).isDirectory() ? filesIn(path) : 1);
  }, 0);
}
