import { z } from 'zod';
import type { Json } from '../json.js';
import { meanOf } from './reward.js';

/** What is said of a gradient that was pushed, until it is part of an update. */
export const pushedGradient = z.object({
  meanReward: z.number(),
  /** b, the baseline that the rewards were compared with. */
  baseline: z.number(),
  staleness: z.int(),
  /** Mean entropy of a child's decisions, in nats, and what the policy says. */
  facts: z.record(z.string(), z.number()),
});

export type PushedGradient = z.infer<typeof pushedGradient>;

/** An update, made of one gradient or of several: their means, the last baseline, the staleness of each. */
export function updateEvent(update: number, gradients: readonly PushedGradient[]) {
  const mean = (of: (gradient: PushedGradient) => number) => meanOf(gradients.map(of));
  const { baseline, facts } = gradients.at(-1) as PushedGradient;
  return {
    event: 'update',
    update,
    meanReward: mean(({ meanReward }) => meanReward),
    baseline,
    staleness: gradients.map(({ staleness }) => staleness),
    ...Object.fromEntries(Object.keys(facts).map((name) => [name, mean((one) => one.facts[name] as number)])),
  } satisfies Record<string, Json>;
}
