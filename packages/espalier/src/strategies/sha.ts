import { z } from 'zod';
import { Bracket } from './bracket.js';
import { synchronous } from './promotion.js';
import type { StrategyDefinition } from './strategy.js';
import {
  configurations,
  fewestConfigurations,
  rungEpochs,
  rungOptions,
  rungsFit,
  SuccessiveHalving,
} from './successive-halving.js';

const options = z
  .strictObject({ ...rungOptions({ minEpochs: 1, maxEpochs: 300, eta: 4 }), configurations })
  .refine(...rungsFit);

type Options = z.output<typeof options>;

const bracketOf = (given: Options) =>
  new Bracket({
    first: 0,
    size: given.configurations ?? fewestConfigurations(given),
    eta: given.eta,
    epochs: rungEpochs(given),
    rule: synchronous,
  });

/**
 * Successive halving (Jamieson & Talwalkar 2016): all architectures are trained for the epochs of a rung, and then the
 * best 1/eta of them are promoted to the next. It has the options of `asha`, for comparisons.
 */
export const sha: StrategyDefinition<Options> = {
  name: 'sha',
  options,
  small: { maxEpochs: 9, eta: 3 },
  plan: (given) => ({ epochs: given.maxEpochs, trials: bracketOf(given).trainings }),
  create: ({ options: given, ...start }) => new SuccessiveHalving('sha', [bracketOf(given)], start),
};
