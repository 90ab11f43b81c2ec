import { z } from 'zod';
import type { Json } from '../json.js';
import type { Batch } from '../tasks/task.js';
import type { AnyTaskDefinition } from '../tasks/task-definition.js';
import type { OptionsOf, WeightSharingDefinition } from './definition.js';
import { GradientSearch, type GradientSettings, gradientOptions } from './gradient-search.js';
import { gumbelChoice, mostProbable } from './gumbel.js';
import type { SearchStep } from './supernet-search.js';

const own = {
  tauFirst: z.number().positive().default(10).describe('temperature tau of the first epoch (4.1: 10)'),
  tauLast: z
    .number()
    .positive()
    .default(0.1)
    .describe('temperature of the last epoch; it falls linearly from epoch to epoch (4.1: 0.1)'),
};

/**
 * Defaults where the authors' searches differ from those of DARTS, by task, with their sources
 * (configs/search-opts/GDAS-NASNet-CIFAR.config, configs/nas-benchmark/algos/GDAS.config).
 */
const defaults: ReadonlyMap<string, Readonly<Record<string, readonly [value: Json, text: string]>>> = new Map(
  [
    [
      'image-classification',
      {
        epochs: [250, 'passes over the training data (code: 250; on NAS-Bench-201 240)'],
        batchSize: [64, 'images of a step (code: 256 on cells of DARTS, 64 on NAS-Bench-201)'],
        nesterov: [true, "whether the momentum of the weights is Nesterov's (code: yes)"],
        weightDecay: [5e-4, 'weight decay of the weights (code: 5e-4)'],
      },
    ],
  ],
);

function optionsOf(task: AnyTaskDefinition): z.ZodObject {
  const options: Record<string, z.ZodType> = { ...gradientOptions(task), ...own };
  for (const [name, [value, text]] of Object.entries(defaults.get(task.name) ?? {}))
    options[name] = (options[name] as z.ZodType).default(value).describe(text);
  return z.strictObject(options);
}

type Options = GradientSettings & z.infer<z.ZodObject<typeof own>>;

/**
 * The differentiable architecture sampler (Dong & Yang 2019, "Searching for a robust neural architecture in four GPU
 * hours"). Unlike in DARTS, each edge is one operation alone in every pass, drawn by the Gumbel-max trick, and its
 * architecture parameters get the gradient of the softmax. In each step the weights move first, then the architecture
 * parameters, as in the authors' code.
 *
 * A step of the weights computes the operations that were drawn, and no others. A step of the architecture parameters computes all
 * of them for the exact gradient, where the authors compute only the one drawn and approximate the gradient.
 */
class Gdas<Model extends object> extends GradientSearch<Model, Options> {
  override *trainEpoch(): Generator<SearchStep, void, undefined> {
    const { tauFirst, tauLast, epochs } = this.options;
    const share = epochs > 1 ? this.epoch / (epochs - 1) : 0;
    const tau = tauFirst + (tauLast - tauFirst) * share;
    this.supernet.relax((alphas) => gumbelChoice(alphas, tau));
    yield* super.trainEpoch();
    this.supernet.relax(mostProbable);
  }

  protected override step(train: Batch<Model>, next: () => Batch<Model>, learningRate: number): number {
    const loss = this.trainWeightsAlone(train, learningRate);
    this.moveAlphas(train, next, learningRate);
    return loss;
  }
}

export const gdas: WeightSharingDefinition<Options> = {
  name: 'gdas',
  sharesWeights: true,
  options: (task) => optionsOf(task) as unknown as OptionsOf<Options>,
  validationShare: 0.5,
  create: (start) => new Gdas(start),
};
