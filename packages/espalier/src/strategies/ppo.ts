import { type Tensor, tensor } from '@espalier/torch';
import { z } from 'zod';
import type { Policy } from '../policy-gradient/policy.js';
import { policyGradientNotes, policyGradientOptions } from './policy-gradient-options.js';
import { PolicyGradientSearch } from './policy-gradient-search.js';
import type { StrategyDefinition } from './strategy.js';

const options = z.strictObject({
  ...policyGradientOptions(
    {
      children: 20,
      learningRate: 0.00035,
      rewardPower: 1,
      entropyWeight: 1e-5,
      hidden: 100,
      controllerLayers: 1,
      initialRange: 0.1,
      growEvery: 0,
    },
    {
      children: 'NASNet A.1: 20',
      learningRate:
        "NASNet A.1: 0.00035. The paper's rate needs thousands of children: within a hundred the controller is as good " +
        'as random search',
      rewardPower: 'NASNet: 1',
      entropyWeight: 'NASNet A.1: 1e-5',
      hidden: 'NASNet A.1: 100',
      controllerLayers: 'NASNet A.1: 1',
      initialRange: 'NASNet A.1: 0.1',
      growEvery: 'NASNet: its spaces have no depth',
    },
  ),
  clip: z
    .number()
    .positive()
    .default(0.2)
    .describe(
      'epsilon: beyond a ratio of 1 +- this, a decision has no gradient. NASNet does not publish it; 0.2 is that of the ' +
        'paper of PPO (Schulman et al. 2017, section 6.1)',
    ),
  passes: z
    .int()
    .min(1)
    .default(4)
    .describe(
      'gradients of one minibatch, one after the other. NASNet does not publish it; 3 to 10 are common (Schulman et al. ' +
        '2017: 3 and 10)',
    ),
});

type Options = z.infer<typeof options>;

/**
 * Proximal policy optimisation (Schulman et al. 2017, equation 7), decision by decision. With r_kt the probability of
 * decision t of child k by that which it had when the child was drawn, and A_k = R_k - b, the controller ascends
 *
 *   1/m sum_k sum_t min(r_kt A_k, clip(r_kt, 1 - epsilon, 1 + epsilon) A_k)
 *
 * The ratio allows for parameters that have changed since, so the gradient is that at the newest ones.
 */
export function ppoPolicy({ clip, passes }: Pick<Options, 'clip' | 'passes'>): Policy {
  return {
    passes,
    atNewest: true,
    gain({ decisions, logProbability: ofChildren }, { advantages, drawn }) {
      let gain: Tensor | undefined;
      let clipped = 0;
      let all = 0;
      for (const [part, { logProbability, sequences }] of decisions.entries()) {
        const before = drawn[part]?.logProbability as Tensor;
        const ratio = logProbability.sub(before).exp();
        const advantage = tensor(
          sequences.map((sequence) => advantages[sequence] as number),
          logProbability.dtype,
        );
        const surrogate = ratio
          .mul(advantage)
          .minimum(ratio.clamp(1 - clip, 1 + clip).mul(advantage))
          .sum();
        gain = gain === undefined ? surrogate : gain.add(surrogate);
        clipped += ratio.detach().sub(1).abs().gt(clip).sum().item();
        all += ratio.size;
      }
      // Without a decision all children are certain: the logarithms of their probabilities are 0.
      gain ??= ofChildren.sum();
      return { gain: gain.div(advantages.length), facts: { clipped: clipped / Math.max(all, 1) } };
    },
  };
}

/** The search of Zoph et al. 2018 (NASNet), section 3 and appendix A.1: see `PolicyGradientSearch`. */
export const ppo: StrategyDefinition<Options> = {
  name: 'ppo',
  options,
  // 450 children at once (appendix A.1), for which the paper has a queue: 23 replicas of 20 keep as many workers busy.
  paper: () => ({ replicas: 23 }),
  small: { children: 4, learningRate: 0.005, baselineDecay: 0.8, entropyWeight: 0.01 },
  // Measured on NAS-Bench-201: docs/strategies.md. In minibatches of four children a rate of 0.02 is worse than random search.
  notes: (given, trials) =>
    policyGradientNotes(
      given,
      { passes: given.passes, learns: '--set learningRate=0.005 --set entropyWeight=0.01' },
      trials,
    ),
  // Replicas do not wait for each other; one has use only for the results of all its children.
  asynchronous: ({ replicas }) => replicas > 1,
  policy: ppoPolicy,
  create: (start) => new PolicyGradientSearch('ppo', ppoPolicy(start.options), start),
};
