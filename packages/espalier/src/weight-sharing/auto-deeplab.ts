import type { Tensor } from '@espalier/torch';
import { z } from 'zod';
import type { Json } from '../json.js';
import type { Batch } from '../tasks/task.js';
import type { AnyTaskDefinition } from '../tasks/task-definition.js';
import { changedChoices } from './changed-choices.js';
import type { OptionsOf, WeightSharingDefinition } from './definition.js';
import { meanEntropy } from './entropy.js';
import { GradientSearch, type GradientSettings, gradientOptions } from './gradient-search.js';
import type { EpochResult } from './supernet-search.js';

const own = {
  warmUp: z
    .int()
    .min(0)
    .optional()
    .describe(
      'epochs at the start that train only the weights; by default half of all (4.2 and 5.1: 20 of 40)',
    ),
  alphaBeta1: z
    .number()
    .min(0)
    .lt(1)
    .default(0.9)
    .describe('beta_1 of Adam on alpha and beta (the paper names none: 0.9 is that of Adam; DARTS has 0.5)'),
  alphaLearningRate: z
    .number()
    .positive()
    .default(0.003)
    .describe('learning rate of Adam on the architecture parameters alpha and beta (5.1: 0.003)'),
  alphaWeightDecay: z.number().min(0).default(1e-3).describe('weight decay of alpha and beta (5.1: 0.001)'),
};

function optionsOf(task: AnyTaskDefinition): z.ZodObject {
  // Skip connections of a normal cell are counted in the cells of DARTS.
  const { maxSkips: _, ...ofGradients } = gradientOptions(task);
  return z.strictObject({ ...ofGradients, ...own });
}

type Options = Omit<GradientSettings, 'maxSkips' | 'warmUp'> & { readonly warmUp?: number };

const savedJson = z.strictObject({ architecture: z.json() });

/**
 * The joint search of cells and of the path over the resolutions (Liu et al. 2019, section 4.2): in each step the weights move
 * along the gradient of the loss on one half of the training data, then alpha and beta, at once, along that on the other half,
 * of first order. In the first half of the epochs only the weights move.
 */
class AutoDeepLabSearch<Model extends object> extends GradientSearch<Model> {
  /** Derived after the epoch before. */
  #before: Json = null;

  protected override step(train: Batch<Model>, next: () => Batch<Model>, learningRate: number): number {
    const loss = this.trainWeightsAlone(train, learningRate);
    this.moveAlphas(train, next, learningRate);
    return loss;
  }

  override endEpoch(): EpochResult {
    const result = super.endEpoch();
    const entropies = Object.entries(result.weights as Record<string, number[][]>).flatMap(([name, rows]) => {
      const entropy = meanEntropy(rows);
      return entropy === undefined ? [] : [[name, entropy]];
    });
    const architecture = result.architecture as Json;
    const changed = this.#before === null ? undefined : changedChoices(this.#before, architecture);
    this.#before = architecture;
    return {
      ...result,
      entropy: Object.fromEntries(entropies),
      ...(changed === undefined ? {} : { changed }),
    };
  }

  override stateJson(): Json {
    return { architecture: this.#before };
  }

  override loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void {
    super.loadState(state, json, epoch, loss);
    this.#before = savedJson.parse(json).architecture as Json;
  }
}

export const autoDeepLabSearch: WeightSharingDefinition<Options> = {
  name: 'auto-deeplab',
  sharesWeights: true,
  options: (task) => optionsOf(task) as unknown as OptionsOf<Options>,
  validationShare: 0.5,
  // The paper's 0.003 moves alpha and beta in some 15,000 steps. In the few hundred of a laptop they would stay where they begin.
  small: { alphaLearningRate: 0.03 },
  create({ options, ...start }) {
    const { warmUp = Math.floor(options.epochs / 2) } = options;
    return new AutoDeepLabSearch({ ...start, options: { ...options, warmUp } });
  },
};
