import { z } from 'zod';

/** What differs between policies. */
interface Defaults {
  readonly children: number;
  readonly learningRate: number;
  readonly rewardPower: number;
  readonly entropyWeight: number;
  readonly hidden: number;
  readonly controllerLayers: number;
  readonly initialRange: number;
  readonly growEvery: number;
}

/** The options of every strategy whose controller learns by gradients of a policy. */
export function policyGradientOptions(defaults: Defaults, sources: Readonly<Record<keyof Defaults, string>>) {
  const text = (description: string, name: keyof Defaults) => `${description} (${sources[name]})`;
  return {
    children: z
      .int()
      .min(1)
      .default(defaults.children)
      .describe(text('m, architectures of one minibatch', 'children')),
    learningRate: z
      .number()
      .positive()
      .default(defaults.learningRate)
      .describe(text('of Adam on the controller', 'learningRate')),
    baselineDecay: z
      .number()
      .min(0)
      .lt(1)
      .default(0.95)
      .describe(
        'weight of the old value in the reward baseline b, an exponential moving average of all rewards ' +
          '(Zoph & Le 3.2; NASNet A.1: 0.95)',
      ),
    rewardPower: z
      .number()
      .positive()
      .default(defaults.rewardPower)
      .describe(
        text(
          'the reward is this power of the accuracy, or of another measure that is better when higher',
          'rewardPower',
        ),
      ),
    perplexityReward: z
      .number()
      .positive()
      .default(80)
      .describe(
        'c: the reward is c / perplexity^2, or the same of another measure that is better when lower ' +
          '(Zoph & Le 4.2: 80)',
      ),
    entropyWeight: z
      .number()
      .min(0)
      .default(defaults.entropyWeight)
      .describe(
        text('weight of the entropy of the decisions in the objective of the controller', 'entropyWeight'),
      ),
    hidden: z
      .int()
      .min(1)
      .default(defaults.hidden)
      .describe(text('units of each LSTM layer of the controller', 'hidden')),
    controllerLayers: z
      .int()
      .min(1)
      .default(defaults.controllerLayers)
      .describe(text('LSTM layers of the controller', 'controllerLayers')),
    initialRange: z
      .number()
      .positive()
      .default(defaults.initialRange)
      .describe(text('the parameters of the controller start uniformly within +- this', 'initialRange')),
    growEvery: z
      .int()
      .min(0)
      .default(defaults.growEvery)
      .describe(
        text('samples after which networks become deeper, in spaces with a depth; 0 for never', 'growEvery'),
      ),
    growBy: z.int().min(1).default(2).describe('layers added each time (Zoph & Le 4.1: 2)'),
    replicas: z
      .int()
      .min(1)
      .default(1)
      .describe(
        'K, controller replicas. Each draws its own m children and pushes its gradient when these are measured, ' +
          'without waiting for the others. To keep W workers busy, K must be W where m is 1, and K times m about 3 W ' +
          'otherwise, because a replica draws again when its slowest child has ended',
      ),
    shards: z
      .int()
      .min(1)
      .default(1)
      .describe(
        'S, shards of the parameter server. In one process their number changes nothing but the snapshot',
      ),
    accumulate: z
      .int()
      .min(1)
      .default(1)
      .describe(
        'gradients that are accumulated before an update, which takes their mean (Zoph & Le 4.2: 10)',
      ),
    maxStaleness: z
      .int()
      .min(0)
      .nullable()
      .default(null)
      .describe(
        'bound on the updates that are made between the drawing of children and their gradient: replicas wait where it ' +
          'could be exceeded. null: no bound, as in the paper',
      ),
  };
}

export type PolicyGradientOptions = z.infer<z.ZodObject<ReturnType<typeof policyGradientOptions>>>;

/** Up to so many children a controller with a learning rate like the papers' is as good as random search. */
const THOUSANDS = 1000;
const SLOW = 0.002;

/**
 * What a person should know before a search of so many children: that its controller learns nothing, or next to nothing.
 *
 * @param policy passes: gradients of one minibatch; learns: settings with which it learns from a hundred children
 */
export function policyGradientNotes(
  { children, accumulate, learningRate }: PolicyGradientOptions,
  { passes, learns }: { readonly passes: number; readonly learns: string },
  trials: number,
): readonly string[] {
  const first = children * Math.ceil(accumulate / passes);
  if (trials < first)
    return [
      `the controller makes no update: its first one is after ${first} children, and the search has ${trials}; ` +
        'fewer in a minibatch: --set children=N, or --preset small',
    ];
  if (trials >= THOUSANDS || learningRate >= SLOW) return [];
  return [
    `with learningRate ${learningRate} the controller needs thousands of children; with ${trials} it is as good as random ` +
      `search: ${learns}, or --preset small`,
  ];
}
