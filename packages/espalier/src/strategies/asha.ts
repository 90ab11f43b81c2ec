import { z } from 'zod';
import { Bracket } from './bracket.js';
import { asynchronous } from './promotion.js';
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
  .strictObject({
    ...rungOptions({ minEpochs: 1, maxEpochs: 300, eta: 4 }),
    configurations,
    mispromotions: z
      .boolean()
      .default(false)
      .describe(
        'whether a rung may promote more than one in eta if better results arrive after worse ones were promoted (algorithm 2 as printed)',
      ),
  })
  .refine(...rungsFit);

type Options = z.output<typeof options>;

const bracketOf = (given: Options) =>
  new Bracket({
    first: 0,
    size: sizeOf(given),
    eta: given.eta,
    epochs: rungEpochs(given),
    rule: asynchronous(given.mispromotions),
  });

const sizeOf = (given: Options) => given.configurations ?? fewestConfigurations(given);

/**
 * Asynchronous successive halving (Li et al. 2018, "A system for massively parallel hyperparameter tuning", algorithm
 * 2), with the settings of its application to networks (Li & Talwalkar 2019: r = 1, R = 300 epochs, eta = 4). A free
 * worker promotes the best child that can be promoted, from the highest rung that has one. If there is none, it begins
 * a new architecture, so that no worker waits.
 */
export const asha: StrategyDefinition<Options> = {
  name: 'asha',
  options,
  asynchronous: true,
  small: { maxEpochs: 9, eta: 3 },
  plan: (given) => ({
    epochs: given.maxEpochs,
    trials: given.mispromotions ? sizeOf(given) * rungEpochs(given).length : bracketOf(given).trainings,
  }),
  create: ({ options: given, ...start }) => new SuccessiveHalving('asha', [bracketOf(given)], start),
};
