/** Hill climbing: mutate the best architecture so far, or draw a random one now and then. */
import { defineStrategy, Random, type TrialResult, z } from 'espalier';

export default defineStrategy({
  name: 'hill-climbing',
  options: z.strictObject({
    restarts: z.number().min(0).max(1).default(0.1).describe('share of proposals that are drawn at random'),
  }),
  // With `asynchronous: true` each result would be told as it arrives, so that no worker waits for another.
  create({ space, seed, options }) {
    let random = Random.of(seed, 'hill climbing');
    let best: { answers: TrialResult['answers']; goodness: number } | undefined;
    return {
      ask() {
        const restarts = best === undefined || random.uniform() < options.restarts;
        return { answers: restarts ? space.sample(random) : space.mutate(best!.answers, random) };
      },
      tell({ answers, outcome }) {
        if (outcome.status === 'failed') return;
        if (best === undefined || outcome.goodness > best.goodness)
          best = { answers, goodness: outcome.goodness };
      },
      // With a snapshot a resumed search need not replay its journal.
      snapshot: () => ({
        json: JSON.parse(JSON.stringify({ random: random.state(), best: best ?? null })),
        tensors: new Map(),
      }),
      restore({ json }) {
        const saved = json as { random: number[]; best: typeof best | null };
        random = Random.restore(saved.random);
        best = saved.best ?? undefined;
      },
    };
  },
});
