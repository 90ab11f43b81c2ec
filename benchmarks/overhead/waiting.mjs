import { join } from 'node:path';
import { pretendSearch, SIGMA } from './pretend-search.mjs';
import { share } from './share.mjs';

/** Workers, and children for each of them. 800 workers are those of Zoph & Le. */
const SIZES = [
  { workers: 4, rounds: 30 },
  { workers: 8, rounds: 30 },
  { workers: 32, rounds: 25 },
  { workers: 800, rounds: 6 },
];

/**
 * Of a strategy: the options with which it keeps so many workers busy and gives about so many trials, and the median
 * time of a child's epoch with 800 workers. Where the strategy learns something itself, 800 children that end within
 * 3 seconds would be too much for one process; those of the papers take minutes and hours.
 */
const STRATEGIES = {
  random: { optionsOf: () => ({}), seconds: 3 },
  evolution: { optionsOf: () => ({}), seconds: 3 },
  'local-search': { optionsOf: () => ({}), seconds: 3 },
  asha: {
    optionsOf: (/** @type {number} */ _, /** @type {number} */ trials) => ({
      maxEpochs: 3,
      eta: 3,
      configurations: trials,
    }),
    seconds: 3,
  },
  bananas: { optionsOf: () => ({ layers: 3 }), seconds: 15 },
  reinforce: { optionsOf: (/** @type {number} */ workers) => replicas(workers, 8), seconds: 15 },
  ppo: { optionsOf: (/** @type {number} */ workers) => replicas(workers, 20), seconds: 15 },
};

/** The median time of an epoch with a few workers. */
const secondsOfFew = (/** @type {number} */ workers) => (workers < 32 ? 0.1 : 0.2);

/** A replica draws again when its slowest child has ended, so there are more children than workers. */
const replicas = (/** @type {number} */ workers, /** @type {number} */ children) => ({
  children,
  replicas: Math.ceil((3 * workers) / children),
});

/** How busy the workers are of each strategy that is told results as they arrive. */
export async function waiting(/** @type {string} */ folder, /** @type {(line: string) => void} */ say) {
  const figures = [];
  for (const [strategy, { optionsOf, seconds }] of Object.entries(STRATEGIES))
    for (const { workers, rounds } of SIZES) {
      const trials = workers * rounds;
      const medianSeconds = workers < 800 ? secondsOfFew(workers) : seconds;
      const { busy, wallSeconds } = await pretendSearch(join(folder, `${strategy} ${workers}`), {
        strategy,
        options: optionsOf(workers, trials),
        trials,
        workers,
        order: 'arrival',
        medianSeconds,
      });
      figures.push({ strategy, workers, medianSeconds, busy });
      say(
        `${strategy}: ${workers} workers with pretended children (log-normal, sigma ${SIGMA}, median ${medianSeconds} s) are busy ` +
          `${share(busy)} of the time; ${trials} trials, ${wallSeconds.toFixed(0)} s`,
      );
    }
  return figures;
}
