import { tensor } from '@espalier/torch';
import { z } from 'zod';
import type { Policy } from '../policy-gradient/policy.js';
import { policyGradientNotes, policyGradientOptions } from './policy-gradient-options.js';
import { PolicyGradientSearch } from './policy-gradient-search.js';
import type { StrategyDefinition } from './strategy.js';

const options = z.strictObject(
  policyGradientOptions(
    {
      children: 8,
      learningRate: 0.0006,
      rewardPower: 3,
      entropyWeight: 0,
      hidden: 35,
      controllerLayers: 2,
      initialRange: 0.08,
      growEvery: 1600,
    },
    {
      children: '3.2; 4.1: 8, 4.2: 1',
      learningRate:
        "4.1: 0.0006, 4.2: 0.0005. The paper's rate needs thousands of children: within a hundred the controller is as " +
        'good as random search. 0.02 with a higher power of the reward learns from a hundred',
      rewardPower: '4.1: 3',
      entropyWeight: '0 in the paper',
      hidden: '4.1: 35',
      controllerLayers: '4.1: 2',
      initialRange: '4.1: 0.08',
      growEvery: '4.1: 1600',
    },
  ),
);

type Options = z.infer<typeof options>;

/**
 * REINFORCE (Williams 1992; Zoph & Le 2016, section 3.2). The controller ascends
 *
 *   1/m sum_k sum_t grad log P(a_t | a_(t-1:1)) (R_k - b)
 */
export const reinforcePolicy: Policy = {
  passes: 1,
  atNewest: false,
  gain({ logProbability }, { advantages }) {
    return { gain: logProbability.mul(tensor(advantages, logProbability.dtype)).mean() };
  },
};

/** The search of Zoph & Le 2016: see `PolicyGradientSearch`. */
export const reinforce: StrategyDefinition<Options> = {
  name: 'reinforce',
  options,
  // Images: section 4.1; language: section 4.2.
  paper: ({ definition }) =>
    definition.reads === 'tokens'
      ? { learningRate: 0.0005, shards: 20, replicas: 400, children: 1, accumulate: 10 }
      : { shards: 20, replicas: 100, children: 8 },
  small: { children: 4, learningRate: 0.01, baselineDecay: 0.8, entropyWeight: 0.001, growEvery: 0 },
  notes: (given, trials) =>
    policyGradientNotes(given, { passes: reinforcePolicy.passes, learns: '--set learningRate=0.02' }, trials),
  // Replicas do not wait for each other; one has use only for the results of all its children.
  asynchronous: ({ replicas }) => replicas > 1,
  policy: () => reinforcePolicy,
  create: (start) => new PolicyGradientSearch('reinforce', reinforcePolicy, start),
};
