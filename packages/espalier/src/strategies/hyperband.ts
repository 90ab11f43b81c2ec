import { z } from 'zod';
import { Bracket } from './bracket.js';
import { synchronous } from './promotion.js';
import type { StrategyDefinition } from './strategy.js';
import { rungEpochs, rungOptions, rungsFit, SuccessiveHalving } from './successive-halving.js';

const options = z.strictObject(rungOptions({ minEpochs: 1, maxEpochs: 81, eta: 3 })).refine(...rungsFit);

type Options = z.output<typeof options>;

/**
 * The brackets s = s_max .. 0 of algorithm 1. Bracket s begins with ceil((s_max + 1) / (s + 1) eta^s) architectures, on
 * the rung from which s promotions lead to R.
 */
function bracketsOf(given: Options): Bracket[] {
  const { eta } = given;
  const epochs = rungEpochs(given);
  let first = 0;
  return epochs.map((_, index) => {
    const rungs = epochs.length - index;
    const size = Math.ceil((epochs.length * eta ** (rungs - 1)) / rungs);
    const bracket = new Bracket({ first, size, eta, epochs: epochs.slice(index), rule: synchronous });
    first += size;
    return bracket;
  });
}

/**
 * Hyperband (Li et al. 2017, algorithm 1, with R = 81 and eta = 3 as in its example). It runs successive halving
 * several times: first with many architectures that are trained for a short time, in the end with a few that are all
 * trained for R epochs. The brackets do not depend on each other, so a worker for which one has no job begins the next.
 */
export const hyperband: StrategyDefinition<Options> = {
  name: 'hyperband',
  options,
  small: { maxEpochs: 9 },
  plan: (given) => ({
    epochs: given.maxEpochs,
    trials: bracketsOf(given).reduce((sum, { trainings }) => sum + trainings, 0),
  }),
  create: ({ options: given, ...start }) => new SuccessiveHalving('hyperband', bracketsOf(given), start),
};
