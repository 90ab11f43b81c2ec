import { InputError } from '../input-error.js';
import type { Measure } from '../measures/measure.js';

export interface RewardOptions {
  readonly rewardPower: number;
  /** c */
  readonly perplexityReward: number;
}

/**
 * The reward of a child: the accuracy to a power (Zoph & Le, 4.1), or c / perplexity^2 (4.2). Other measures have the reward
 * of their direction.
 *
 * @param of for messages: `strategy reinforce: the accuracy of trial 3`
 * @throws InputError for a value whose reward would be infinite, or lower than that of a worse value
 */
export function rewardOf(
  { better }: Pick<Measure, 'better'>,
  value: number,
  { rewardPower, perplexityReward }: RewardOptions,
  of: string,
): number {
  const isHigher = better === 'higher';
  if (isHigher ? value < 0 : value <= 0)
    throw new InputError(
      `${of} is ${value}; a reward is defined for values ${isHigher ? 'of 0 and above' : 'above 0'}`,
    );
  return isHigher ? value ** rewardPower : perplexityReward / value ** 2;
}

/** A moving average of rewards after some more of them: b, which rewards are compared with. */
export function baselineAfter(baseline: number, rewards: readonly number[], decay: number): number {
  return rewards.reduce((average, reward) => decay * average + (1 - decay) * reward, baseline);
}

/** The mean of the rewards of a minibatch. */
export function meanOf(rewards: readonly number[]): number {
  return rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
}
