import { z } from 'zod';
import {
  type ArchitectureGradient,
  type BilevelProblem,
  firstOrderGradient,
  secondOrderGradient,
} from './architecture-gradient.js';
import type { WeightSharingDefinition } from './definition.js';
import { GradientSearch, type GradientSettings, gradientOptions } from './gradient-search.js';

const order = z
  .union([z.literal(1), z.literal(2)])
  .default(1)
  .describe(
    'of the approximation of the architecture gradient (2.3): 1 takes w for what it is, 2 looks a step ahead',
  );

const imageOptions = z.object({ ...gradientOptions.images, order });
const textOptions = z.object({ ...gradientOptions.tokens, order });

type Options = GradientSettings & { readonly order: 1 | 2 };

/** Differentiable architecture search of first and second order (Liu, Simonyan & Yang 2018, section 2.3). */
class Darts<Model extends object> extends GradientSearch<Model, Options> {
  protected override architectureGradient(
    problem: BilevelProblem,
    learningRate: number,
  ): ArchitectureGradient {
    const { order, momentum, weightDecay } = this.options;
    if (order === 1) return firstOrderGradient(problem);
    const optimizer = this.weightOptimizer;
    return secondOrderGradient(problem, { learningRate, momentum, weightDecay, optimizer });
  }
}

export const darts: WeightSharingDefinition<Options> = {
  name: 'darts',
  options: { images: imageOptions, tokens: textOptions },
  validationShare: 0.5,
  create: (start) => new Darts(start),
};
