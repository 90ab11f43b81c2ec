import { noGrad, optim, scope, type Tensor } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { type Batch, Diverged, type Sample } from '../tasks/task.js';
import type { AnyTaskDefinition } from '../tasks/task-definition.js';
import { prefixed, withPrefix } from '../training/named-tensors.js';
import {
  type ArchitectureGradient,
  type BilevelProblem,
  firstOrderGradient,
} from './architecture-gradient.js';
import { pathOf } from './path.js';
import {
  type ChoiceStep,
  type EpochResult,
  type Found,
  SupernetSearch,
  type SupernetSearchStart,
} from './supernet-search.js';
import { type SupernetSettings, supernetOf } from './supernet-settings.js';
import { buffersOf } from './undisturbed.js';

const architectureOptions = (alphaLearningRate: number, firstBeta: number) => ({
  alphaLearningRate: z
    .number()
    .positive()
    .default(alphaLearningRate)
    .describe(`of Adam on the architecture parameters alpha (A.1: ${alphaLearningRate})`),
  alphaBeta1: z.number().min(0).lt(1).default(firstBeta).describe(`beta_1 of Adam (A.1: ${firstBeta})`),
  alphaBeta2: z.number().min(0).lt(1).default(0.999).describe('beta_2 of Adam (A.1: 0.999)'),
  nesterov: z
    .boolean()
    .default(false)
    .describe("whether the momentum of the weights is Nesterov's (DARTS: no)"),
  alphaWeightDecay: z.number().min(0).default(1e-3).describe('of the architecture parameters (A.1: 1e-3)'),
  warmUp: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'epochs at the start that train only the weights (DARTS: 0; PC-DARTS, Xu et al. 2020, section 4.2: 15)',
    ),
  maxSkips: z
    .int()
    .min(0)
    .optional()
    .describe(
      'the most skip connections in a derived cell, of darts-cnn in the normal one; the weakest give way (P-DARTS, Chen et al. ' +
        '2019, section 3.3: 2)',
    ),
});

/** The options of all searches that move architecture parameters along a gradient. */
export function gradientOptions(task: AnyTaskDefinition) {
  const { options, alpha } = supernetOf(task);
  return { ...options, ...architectureOptions(alpha.learningRate, alpha.beta1) };
}

export type GradientSettings = SupernetSettings &
  z.infer<z.ZodObject<ReturnType<typeof architectureOptions>>>;

/**
 * More skip connections among the edges of a cell are a sign of collapse: P-DARTS and DARTS+ allow two among the eight edges of a
 * normal cell of DARTS.
 */
const MOST_SKIPS = 2;

/**
 * A search along the gradient of the architecture (Liu, Simonyan & Yang 2018, algorithm 1): in each step the architecture
 * parameters move along the gradient of the validation loss, then the weights along the gradient of the training loss.
 */
export abstract class GradientSearch<
  Model extends object,
  Options extends GradientSettings = GradientSettings,
> extends SupernetSearch<Model, Options> {
  /** The architecture parameters. */
  protected readonly alphas: readonly Tensor[];
  readonly #alphaOptimizer: optim.Adam;
  #validationLoss = { sum: 0, steps: 0 };

  constructor(start: SupernetSearchStart<Model, Options>) {
    super(start);
    const { alphaLearningRate, alphaBeta1, alphaBeta2, alphaWeightDecay, maxSkips } = this.options;
    if (maxSkips !== undefined && this.supernet.skips?.limitedIn === undefined)
      throw new InputError(
        `maxSkips ${maxSkips}: the supernet of space ${this.space.name} cannot limit the skip connections of a cell; leave it out`,
      );
    this.alphas = Object.values(this.supernet.architectureParameters());
    this.#alphaOptimizer = new optim.Adam(this.alphas, {
      learningRate: alphaLearningRate,
      betas: [alphaBeta1, alphaBeta2],
      weightDecay: alphaWeightDecay,
    });
  }

  protected step(train: Batch<Model>, next: () => Batch<Model>, learningRate: number): number {
    this.moveAlphas(train, next, learningRate);
    return this.trainWeightsAlone(train, learningRate);
  }

  /** The step of the architecture parameters. In the epochs of the warm-up they stay where they are. */
  protected moveAlphas(train: Batch<Model>, next: () => Batch<Model>, learningRate: number): void {
    if (this.epoch < this.options.warmUp) return;
    const validation = next();
    const problem: BilevelProblem = {
      weights: this.weights,
      alphas: this.alphas,
      buffers: buffersOf(this.supernet),
      trainingLoss: () => train.loss(this.supernet),
      validationLoss: () => validation.loss(this.supernet),
      sum: (gradients) => this.peers?.sum(gradients),
    };
    const { gradients, loss } = this.architectureGradient(problem, learningRate);
    if (!Number.isFinite(loss))
      throw new Diverged(`diverged: the validation loss is ${loss} in epoch ${this.epoch + 1}`);
    this.#validationLoss.sum += loss;
    this.#validationLoss.steps++;
    for (const [place, alpha] of this.alphas.entries()) alpha.grad = gradients[place];
    this.#alphaOptimizer.step();
    this.#alphaOptimizer.zeroGrad();
  }

  /** The gradient that the architecture parameters move along. Here it is of first order. */
  protected architectureGradient(problem: BilevelProblem, _learningRate: number): ArchitectureGradient {
    return firstOrderGradient(problem);
  }

  /** The step of the weights of the whole mixture, without the gradient of the alphas. */
  protected trainWeightsAlone(train: Batch<Model>, learningRate: number): number {
    for (const alpha of this.alphas) alpha.requiresGrad = false;
    try {
      return this.trainWeights(this.supernet, train, learningRate);
    } finally {
      for (const alpha of this.alphas) alpha.requiresGrad = true;
    }
  }

  endEpoch(): EpochResult {
    const { sum, steps } = this.#validationLoss;
    this.#validationLoss = { sum: 0, steps: 0 };
    const architecture = this.derived() as Json;
    const skips = this.supernet.skips?.count(architecture as never);
    const warnings = this.warnings(skips);
    return {
      ...(steps === 0 ? {} : { validationLoss: sum / steps }),
      measures: this.validate(this.supernet),
      architecture,
      weights: this.#weightNumbers(),
      ...(skips === undefined ? {} : { skips }),
      ...(warnings.length === 0 ? {} : { warning: `collapse under way: ${warnings.join('; ')}` }),
    };
  }

  /** What the architecture parameters favour now. */
  protected derived(): unknown {
    const { maxSkips } = this.options;
    return this.supernet.derive(maxSkips === undefined ? {} : { maxSkips });
  }

  /** Signs of a collapse after the last epoch. */
  protected warnings(skips: Readonly<Record<string, number>> | undefined): string[] {
    const cell = this.supernet.skips?.limitedIn ?? '';
    const count = skips?.[cell] ?? 0;
    if (count <= MOST_SKIPS) return [];
    const where = cell === 'cell' ? 'cell' : `${cell} cell`;
    return [`${count} of the edges of the ${where} are skip connections`];
  }

  /** The weights of the mixtures for the journal: edges by operations. */
  #weightNumbers(): Record<string, number[][]> {
    const own = this.supernet.ownWeights?.() ?? {};
    return Object.fromEntries(
      Object.entries(this.supernet.architectureParameters()).flatMap(([name, alphas]) => {
        const ofName = own[name];
        if (ofName !== undefined) return [[name, ofName.map((row) => [...row])]];
        // The parameters of edges are one row, which is no choice between operations.
        if (alphas.shape[0] === 1) return [];
        const columns = alphas.shape.at(-1) as number;
        const numbers = scope(() => noGrad(() => this.mixtureWeights(alphas).flatten().toNumbers()));
        const rows = Array.from({ length: numbers.length / columns }, (_, row) =>
          numbers.slice(row * columns, (row + 1) * columns),
        );
        return [[name, rows]];
      }),
    );
  }

  /** The weights of mixtures as probabilities. */
  protected mixtureWeights(alphas: Tensor): Tensor {
    return alphas.softmax(-1);
  }

  // biome-ignore lint/correctness/useYield: the rule of section 2.4 takes no time
  *choose(): Generator<ChoiceStep, Found, undefined> {
    return this.found(this.derived(), {});
  }

  /** Of all paths at once, which is what was trained. */
  override samples(): readonly Sample[] | undefined {
    this.supernet.eval();
    return this.task.samples?.(this.supernet, 'validation');
  }

  /** The architecture with its measure, alone and with the shared weights, as other strategies that share them have it. */
  protected found(architecture: unknown, details: Found['details']): Found {
    // The mixture was trained, but this path never was alone, so its outputs may not be finite.
    const measures = this.validateIfFinite(pathOf(this.supernet, architecture));
    const measured = measures === undefined ? {} : { measures };
    return { architecture, details: { ...measured, ...details } };
  }

  override stateDict(): Map<string, Tensor> {
    return new Map([...super.stateDict(), ...prefixed('alphas.', this.#alphaOptimizer.stateDict())]);
  }

  override loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void {
    super.loadState(state, json, epoch, loss);
    this.#alphaOptimizer.loadStateDict(withPrefix('alphas.', state));
  }

  override free(): void {
    this.#alphaOptimizer.free();
    super.free();
  }
}
