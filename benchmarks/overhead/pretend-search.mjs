import {
  accuracy,
  createStrategy,
  Random,
  RunFolder,
  runSearch,
  Space,
  setThreads,
  spaces,
  strategies,
} from '../../packages/espalier/dist/index.js';

/** Log-normal, in units of its median: how much longer some children take than others. */
export const SIGMA = 0.5;

/**
 * A search whose children do nothing but take their time, in this process.
 *
 * @param {string} path
 * @param {{ strategy: string, options?: object, trials: number, workers: number, order: 'arrival' | 'virtual', medianSeconds: number }} settings
 * @returns {Promise<{ busy: number, wallSeconds: number }>} the share of the workers' time in which they had a child, from the
 *   first child to the last one that began: after that there is no more work
 */
export async function pretendSearch(path, { strategy, options, trials, workers, order, medianSeconds }) {
  // As in a search: `prepareExperiment`.
  setThreads(1);
  const header = { seed: 1, trials, workers, order, objectives: [accuracy] };
  const folder = RunFolder.create(path, header);
  const space = Space.configure(spaces.get('zoph-cnn'), {});
  const definition = strategies.get(strategy);
  const own = createStrategy(definition, { space, seed: 1, options, objectives: header.objectives });
  /** @type {{ from: number, to: number }[]} */
  const spans = [];
  const estimator = {
    async estimate({ trial, seed, epochs = 1, epochsDone = 0 }) {
      const random = Random.of(seed, `trial ${trial}`);
      const seconds = medianSeconds * (epochs - epochsDone) * Math.exp(SIGMA * random.normal());
      const span = { from: performance.now(), to: Number.POSITIVE_INFINITY };
      spans.push(span);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      span.to = performance.now();
      return { measures: { accuracy: random.uniform() } };
    },
  };
  const begun = performance.now();
  try {
    await runSearch({ folder, header, strategy: own, strategyName: strategy, estimator });
  } finally {
    own.close();
  }
  const firstBegan = spans[0]?.from ?? begun;
  const lastBegan = Math.max(...spans.map(({ from }) => from));
  const worked = spans.reduce((sum, { from, to }) => sum + Math.min(to, lastBegan) - from, 0);
  return {
    busy: worked / (workers * (lastBegan - firstBegan)),
    wallSeconds: (performance.now() - begun) / 1000,
  };
}
