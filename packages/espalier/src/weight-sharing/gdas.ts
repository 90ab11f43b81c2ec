import { z } from 'zod';
import type { WeightSharingDefinition } from './definition.js';
import { GradientSearch, type GradientSettings, gradientOptions } from './gradient-search.js';
import { gumbelChoice, mostProbable } from './gumbel.js';
import type { SearchStep } from './supernet-search.js';

const own = {
  tauFirst: z.number().positive().default(10).describe('temperature tau of the first epoch (4.1: 10)'),
  tauLast: z
    .number()
    .positive()
    .default(0.1)
    .describe('of the last one; in between it falls evenly (4.1: 0.1)'),
};

const imageOptions = z.object({
  ...gradientOptions.images,
  ...own,
  epochs: gradientOptions.images.epochs.default(250),
});
const textOptions = z.object({ ...gradientOptions.tokens, ...own });

type Options = GradientSettings & Pick<z.infer<typeof imageOptions>, keyof typeof own>;

/**
 * The differentiable architecture sampler (Dong & Yang 2019, "Searching for a robust neural architecture in four GPU
 * hours"): as DARTS, but in every pass each edge is one operation alone, drawn by the Gumbel-max trick, and its
 * architecture parameters get the gradient of the softmax. All candidates are computed for that gradient, where the
 * paper computes the drawn one only and approximates it.
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
}

export const gdas: WeightSharingDefinition<Options> = {
  name: 'gdas',
  options: { images: imageOptions, tokens: textOptions },
  validationShare: 0.5,
  create: (start) => new Gdas(start),
};
