import { join } from 'node:path';
import { strategies } from '../../packages/espalier/dist/index.js';
import { pretendSearch, SIGMA } from './pretend-search.mjs';
import { share } from './share.mjs';

/** Workers, children for each of them, and the median time of a child's epoch. 800 are those of Zoph & Le. */
const SIZES = [
  { workers: 4, rounds: 30, medianSeconds: 0.1 },
  { workers: 8, rounds: 30, medianSeconds: 0.1 },
  { workers: 32, rounds: 25, medianSeconds: 0.2 },
  { workers: 800, rounds: 12, medianSeconds: 3 },
];

/** Options that give a strategy about so many trials. */
const optionsOf = (/** @type {string} */ strategy, /** @type {number} */ trials) =>
  strategy === 'asha' ? { maxEpochs: 3, eta: 3, configurations: trials } : {};

/** How busy the workers are of each strategy that is told results as they arrive. */
export async function waiting(/** @type {string} */ folder, /** @type {(line: string) => void} */ say) {
  const figures = [];
  for (const { name, asynchronous } of strategies.values()) {
    if (asynchronous !== true) continue;
    for (const { workers, rounds, medianSeconds } of SIZES) {
      const trials = workers * rounds;
      const { busy, wallSeconds } = await pretendSearch(join(folder, `${name} ${workers}`), {
        strategy: name,
        options: optionsOf(name, trials),
        trials,
        workers,
        order: 'arrival',
        medianSeconds,
      });
      figures.push({ strategy: name, workers, busy });
      say(
        `${name}: ${workers} workers with pretended children (log-normal, sigma ${SIGMA}) are busy ` +
          `${share(busy)} of the time; ${trials} trials, ${wallSeconds.toFixed(0)} s`,
      );
    }
  }
  return figures;
}
