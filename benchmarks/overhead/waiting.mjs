import { join } from 'node:path';
import { pretendSearch, SIGMA } from './pretend-search.mjs';
import { share } from './share.mjs';

/** Workers, children for each of them, and the median time of a child's epoch. 800 are those of Zoph & Le. */
const SIZES = [
  { workers: 4, rounds: 30, medianSeconds: 0.1 },
  { workers: 8, rounds: 30, medianSeconds: 0.1 },
  { workers: 32, rounds: 25, medianSeconds: 0.2 },
  { workers: 800, rounds: 12, medianSeconds: 3 },
];

/** The options with which a strategy keeps so many workers busy, and gives about so many trials. */
const STRATEGIES = {
  random: () => ({}),
  evolution: () => ({}),
  'local-search': () => ({}),
  bananas: () => ({ layers: 3 }),
  asha: (/** @type {number} */ _, /** @type {number} */ trials) => ({
    maxEpochs: 3,
    eta: 3,
    configurations: trials,
  }),
  reinforce: (/** @type {number} */ workers) => replicas(workers, 8),
  ppo: (/** @type {number} */ workers) => replicas(workers, 20),
};

/** A replica draws again when its slowest child has ended, so there are more children than workers. */
const replicas = (/** @type {number} */ workers, /** @type {number} */ children) => ({
  children,
  replicas: Math.ceil((3 * workers) / children),
});

/** How busy the workers are of each strategy that is told results as they arrive. */
export async function waiting(/** @type {string} */ folder, /** @type {(line: string) => void} */ say) {
  const figures = [];
  for (const [strategy, optionsOf] of Object.entries(STRATEGIES))
    for (const { workers, rounds, medianSeconds } of SIZES) {
      const trials = workers * rounds;
      const { busy, wallSeconds } = await pretendSearch(join(folder, `${strategy} ${workers}`), {
        strategy,
        options: optionsOf(workers, trials),
        trials,
        workers,
        order: 'arrival',
        medianSeconds,
      });
      figures.push({ strategy, workers, busy });
      say(
        `${strategy}: ${workers} workers with pretended children (log-normal, sigma ${SIGMA}) are busy ` +
          `${share(busy)} of the time; ${trials} trials, ${wallSeconds.toFixed(0)} s`,
      );
    }
  return figures;
}
