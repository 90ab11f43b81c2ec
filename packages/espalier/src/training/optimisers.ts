import { optim, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { OptimiserName } from '../tasks/optimiser-options.js';

/** The update rule of the weights, and what it needs to know. */
export interface UpdateRule {
  /** `sgd` by default. */
  readonly optimiser?: OptimiserName;
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** Decay rate of the mean square of the gradients: beta_2 of Adam, alpha of RMSProp. */
  readonly squareDecay?: number | null;
  /** Added to the root of that mean square. */
  readonly epsilon?: number | null;
}

type Make = (weights: readonly Tensor[], rule: UpdateRule) => optim.Optimizer;

const rmsprop =
  (form: 'pytorch' | 'tensorflow'): Make =>
  (weights, { learningRate, momentum, weightDecay, ...rest }) =>
    new optim.RMSProp(weights, { learningRate, momentum, weightDecay, ...squares(rest), form });

/** Each update rule, as it is made. */
const OPTIMISERS: Readonly<Record<OptimiserName, Make>> = {
  sgd: (weights, { learningRate, momentum, nesterov, weightDecay }) =>
    new optim.SGD(weights, { learningRate, momentum, nesterov: nesterov && momentum > 0, weightDecay }),
  adam: (weights, { learningRate, weightDecay, ...rest }) => {
    const { squareDecay, ...epsilon } = squares(rest);
    const betas = squareDecay === undefined ? {} : { betas: [0.9, squareDecay] as const };
    return new optim.Adam(weights, { learningRate, weightDecay, ...betas, ...epsilon });
  },
  rmsprop: rmsprop('pytorch'),
  'rmsprop-tf': rmsprop('tensorflow'),
};

/** What is given of the two. */
const squares = ({
  squareDecay = null,
  epsilon = null,
}: Pick<UpdateRule, 'squareDecay' | 'epsilon'>): { squareDecay?: number; epsilon?: number } => ({
  ...(squareDecay === null ? {} : { squareDecay }),
  ...(epsilon === null ? {} : { epsilon }),
});

export function makeOptimiser(weights: readonly Tensor[], rule: UpdateRule): optim.Optimizer {
  return OPTIMISERS[rule.optimiser ?? 'sgd'](weights, rule);
}

/** @throws InputError for an option that the update rule has no use for */
export function requireUseful({ optimiser = 'sgd', ...rule }: UpdateRule): void {
  if (optimiser !== 'sgd') return;
  for (const name of ['squareDecay', 'epsilon'] as const)
    if ((rule[name] ?? null) !== null)
      throw new InputError(
        `training option '${name}' is ${rule[name]}: optimiser sgd has no mean square of the gradients; allowed with ` +
          Object.keys(OPTIMISERS)
            .filter((one) => one !== 'sgd')
            .join(', '),
      );
}
