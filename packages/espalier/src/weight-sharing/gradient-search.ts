import { optim, scope, type Tensor } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { deriveSeed, Random } from '../random/random.js';
import { type Batch, Diverged } from '../tasks/task.js';
import { prefixed, withPrefix } from '../training/named-tensors.js';
import {
  type ArchitectureGradient,
  type BilevelProblem,
  firstOrderGradient,
} from './architecture-gradient.js';
import { dominantEigenvalue } from './dominant-eigenvalue.js';
import { pathOf } from './path.js';
import { selectByPerturbation } from './perturbation.js';
import { countSkips } from './skip-connections.js';
import type { ChoiceStep } from './supernet-search.js';
import { type EpochResult, type Found, SupernetSearch, type SupernetSearchStart } from './supernet-search.js';
import { imageSupernetOptions, type SupernetSettings, textSupernetOptions } from './supernet-settings.js';

const architectureOptions = (alphaLearningRate: number, firstBeta: number) => ({
  alphaLearningRate: z
    .number()
    .positive()
    .default(alphaLearningRate)
    .describe(`of Adam on the architecture parameters alpha (A.1: ${alphaLearningRate})`),
  alphaBeta1: z.number().min(0).lt(1).default(firstBeta).describe(`beta_1 of Adam (A.1: ${firstBeta})`),
  alphaBeta2: z.number().min(0).lt(1).default(0.999).describe('beta_2 of Adam (A.1: 0.999)'),
  alphaWeightDecay: z.number().min(0).default(1e-3).describe('of the architecture parameters (A.1: 1e-3)'),
  warmUp: z
    .int()
    .min(0)
    .default(0)
    .describe(
      'epochs at first in which only the weights are trained (PC-DARTS, Xu et al. 2020, section 4.2: 15)',
    ),
  maxSkips: z
    .int()
    .min(0)
    .optional()
    .describe(
      'the most skip connections that a normal cell is derived with: the weakest give way (P-DARTS, Chen et al. 2019, ' +
        'section 3.3: 2)',
    ),
  selection: z
    .enum(['magnitude', 'perturbation'])
    .default('magnitude')
    .describe(
      'how the architecture is chosen: by the largest weights (2.4), or by what the supernet loses without an operation ' +
        '(DARTS-PT, Wang et al. 2021)',
    ),
  tuneEpochs: z
    .int()
    .min(0)
    .default(5)
    .describe('with the perturbation, epochs that tune the weights after each edge (DARTS-PT, appendix: 5)'),
  eigenvalue: z
    .boolean()
    .default(false)
    .describe(
      'journals the dominant eigenvalue of the Hessian of the validation loss in alpha each epoch (Zela et al. 2020)',
    ),
  earlyStop: z
    .boolean()
    .default(false)
    .describe(
      'ends the search when the eigenvalue, a mean over 5 epochs, has grown by a third within 5, and goes back to the ' +
        'architecture of 5 epochs before (DARTS-ES, Zela et al. 2020, section 4.3)',
    ),
});

/** What all searches have that move architecture parameters along a gradient, by what the networks read. */
export const gradientOptions = {
  images: { ...imageSupernetOptions, ...architectureOptions(3e-4, 0.5) },
  tokens: { ...textSupernetOptions, ...architectureOptions(3e-3, 0.9) },
};

export type GradientSettings = SupernetSettings &
  z.infer<z.ZodObject<ReturnType<typeof architectureOptions>>>;

/** Epochs that the eigenvalue is averaged over, and looked back: k of Zela et al. 2020, section 4.3. */
const WINDOW = 5;
/** The share of the mean eigenvalue then in the present one below which the search ends, ibid. */
const LEAST_SHARE = 0.75;
/** More skip connections in the eight edges of a normal cell are a sign of collapse (P-DARTS and DARTS+ allow two). */
const MOST_SKIPS = 2;

const savedJson = z.object({ eigenvalues: z.array(z.number()), architectures: z.array(z.json()) });

/** What has been seen of the epochs, for the rule of early stopping. */
interface History {
  readonly eigenvalues: number[];
  /** Derived after each epoch. */
  readonly architectures: Json[];
}

/**
 * A search along the gradient of the architecture (Liu, Simonyan & Yang 2018, algorithm 1): in each step the architecture
 * parameters move along the gradient of the validation loss, then the weights along that of the training loss.
 */
export abstract class GradientSearch<
  Model extends object,
  Options extends GradientSettings = GradientSettings,
> extends SupernetSearch<Model, Options> {
  readonly #alphas: readonly Tensor[];
  readonly #alphaOptimizer: optim.Adam;
  /** Whether the architecture is being chosen, and the weights follow. */
  #tuning = false;
  #history: History = { eigenvalues: [], architectures: [] };
  #validationLoss = { sum: 0, steps: 0 };

  constructor(start: SupernetSearchStart<Model, Options>) {
    super(start);
    const { alphaLearningRate, alphaBeta1, alphaBeta2, alphaWeightDecay } = this.options;
    if (this.options.earlyStop && this.options.selection === 'perturbation')
      throw new InputError(
        'earlyStop goes back to an earlier architecture, and the selection by perturbation takes the last weights: not both',
      );
    this.#alphas = Object.values(this.supernet.architectureParameters());
    this.#alphaOptimizer = new optim.Adam(this.#alphas, {
      learningRate: alphaLearningRate,
      betas: [alphaBeta1, alphaBeta2],
      weightDecay: alphaWeightDecay,
    });
  }

  override get trained(): boolean {
    return super.trained || this.#stopsEarly();
  }

  protected step(train: Batch<Model>, next: () => Batch<Model>, learningRate: number): number {
    if (this.#tuning || this.epoch < this.options.warmUp)
      return this.#withFixedAlphas(() => this.trainWeights(this.supernet, train, learningRate));
    const validation = next();
    const problem: BilevelProblem = {
      weights: this.weights,
      alphas: this.#alphas,
      trainingLoss: () => train.loss(this.supernet),
      validationLoss: () => validation.loss(this.supernet),
    };
    const { gradients, loss } = this.architectureGradient(problem, learningRate);
    if (!Number.isFinite(loss))
      throw new Diverged(`diverged: the validation loss is ${loss} in epoch ${this.epoch + 1}`);
    this.#validationLoss.sum += loss;
    this.#validationLoss.steps++;
    for (const [place, alpha] of this.#alphas.entries()) alpha.grad = gradients[place];
    this.#alphaOptimizer.step();
    this.#alphaOptimizer.zeroGrad();
    // The weights' step has no use for the gradient of the alphas.
    return this.#withFixedAlphas(() => this.trainWeights(this.supernet, train, learningRate));
  }

  /** The gradient that the architecture parameters move along; of first order here. */
  protected architectureGradient(problem: BilevelProblem, _learningRate: number): ArchitectureGradient {
    return firstOrderGradient(problem);
  }

  #withFixedAlphas<T>(body: () => T): T {
    for (const alpha of this.#alphas) alpha.requiresGrad = false;
    try {
      return body();
    } finally {
      for (const alpha of this.#alphas) alpha.requiresGrad = true;
    }
  }

  endEpoch(): EpochResult {
    const { sum, steps } = this.#validationLoss;
    this.#validationLoss = { sum: 0, steps: 0 };
    const architecture = this.#derive() as Json;
    this.#history.architectures.push(architecture);
    const eigenvalue = this.#eigenvalue();
    if (eigenvalue !== undefined) this.#history.eigenvalues.push(eigenvalue);
    const skips = countSkips(architecture);
    return {
      ...(steps === 0 ? {} : { validationLoss: sum / steps }),
      [this.task.measure.name]: this.validate(this.supernet),
      architecture,
      weights: this.#weightNumbers(),
      ...(skips === undefined ? {} : { skips }),
      ...(eigenvalue === undefined ? {} : { eigenvalue }),
      ...this.#warning(skips),
    };
  }

  #derive(): unknown {
    const { maxSkips } = this.options;
    return this.supernet.derive(maxSkips === undefined ? {} : { maxSkips });
  }

  #warning(skips: Readonly<Record<string, number>> | undefined): { readonly warning?: string } {
    const warnings = [];
    const normal = skips?.normal;
    if (normal !== undefined && normal > MOST_SKIPS)
      warnings.push(`${normal} of the edges of the normal cell are skip connections`);
    if (this.#grown()) warnings.push('the dominant eigenvalue of the Hessian is growing');
    return warnings.length === 0 ? {} : { warning: `collapse under way: ${warnings.join('; ')}` };
  }

  #eigenvalue(): number | undefined {
    if (!(this.options.eigenvalue || this.options.earlyStop)) return undefined;
    const seed = deriveSeed(this.seed, `eigenvalue of epoch ${this.epoch}`);
    this.supernet.train();
    for (const batch of this.task.pass('validation', {
      size: this.options.batchSize,
      training: { seed, epoch: this.epoch },
    }))
      return dominantEigenvalue(() => batch.loss(this.supernet), this.#alphas, seed);
    return undefined;
  }

  /** The mean eigenvalue of the last epochs against that of as many before them. */
  #grown(): boolean {
    const { eigenvalues } = this.#history;
    if (eigenvalues.length < 2 * WINDOW) return false;
    const mean = (from: number) =>
      eigenvalues.slice(from, from + WINDOW).reduce((sum, value) => sum + value, 0) / WINDOW;
    const last = eigenvalues.length - WINDOW;
    return mean(last - WINDOW) / mean(last) < LEAST_SHARE;
  }

  #stopsEarly(): boolean {
    return this.options.earlyStop && this.#grown();
  }

  /** The softmax of the architecture parameters: edges by operations. */
  #weightNumbers(): Record<string, number[][]> {
    return Object.fromEntries(
      Object.entries(this.supernet.architectureParameters()).flatMap(([name, alphas]) => {
        // Those of edges are one row, which is no choice between operations.
        if (alphas.shape[0] === 1) return [];
        const columns = alphas.shape.at(-1) as number;
        const numbers = scope(() => alphas.detach().softmax(-1).flatten().toNumbers());
        const rows = Array.from({ length: numbers.length / columns }, (_, row) =>
          numbers.slice(row * columns, (row + 1) * columns),
        );
        return [[name, rows]];
      }),
    );
  }

  *choose(): Generator<ChoiceStep, Found, undefined> {
    if (this.#stopsEarly()) {
      const epoch = this.epoch - WINDOW;
      return this.#found(this.#history.architectures[epoch - 1], {
        stoppedAfter: this.epoch,
        ofEpoch: epoch,
      });
    }
    if (this.options.selection === 'perturbation') yield* this.#perturb();
    return this.#found(this.#derive(), {});
  }

  #perturb(): Generator<ChoiceStep, void, undefined> {
    const { better } = this.task.measure;
    return selectByPerturbation({
      // Those of edges are one row, which is no choice between operations.
      alphas: this.#alphas.filter(({ shape }) => (shape[0] as number) > 1),
      relax: (relaxation) => this.supernet.relax(relaxation),
      validate: () => {
        const value = this.validate(this.supernet);
        return better === 'higher' ? value : -value;
      },
      tune: () => this.#tune(),
      random: Random.of(this.seed, 'perturbation'),
    });
  }

  *#tune(): Generator<unknown, void, undefined> {
    this.#tuning = true;
    try {
      for (let epoch = 0; epoch < this.options.tuneEpochs; epoch++) yield* this.trainEpoch();
    } finally {
      this.#tuning = false;
    }
  }

  /** With the measure of the architecture alone, with the shared weights: as of other strategies that share them. */
  #found(architecture: unknown, details: Found['details']): Found {
    try {
      const value = this.validate(pathOf(this.supernet, architecture));
      return { architecture, details: { [this.task.measure.name]: value, ...details } };
    } catch (error) {
      // The mixture is trained, and one of its paths alone never was: it may give anything.
      if (error instanceof Diverged) return { architecture, details };
      throw error;
    }
  }

  override stateDict(): Map<string, Tensor> {
    return new Map([...super.stateDict(), ...prefixed('alphas.', this.#alphaOptimizer.stateDict())]);
  }

  override stateJson(): Json {
    return { ...this.#history };
  }

  override loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void {
    super.loadState(state, json, epoch, loss);
    this.#alphaOptimizer.loadStateDict(withPrefix('alphas.', state));
    const { eigenvalues, architectures } = savedJson.parse(json);
    this.#history = { eigenvalues, architectures: architectures as Json[] };
  }

  override free(): void {
    this.#alphaOptimizer.free();
    super.free();
  }
}
