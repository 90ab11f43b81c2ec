import type { Tensor } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { deriveSeed, Random } from '../random/random.js';
import type { Batch } from '../tasks/task.js';
import {
  type ArchitectureGradient,
  type BilevelProblem,
  firstOrderGradient,
  secondOrderGradient,
} from './architecture-gradient.js';
import type { WeightSharingDefinition } from './definition.js';
import { dominantEigenvalue } from './dominant-eigenvalue.js';
import { GradientSearch, type GradientSettings, gradientOptions } from './gradient-search.js';
import { selectByPerturbation } from './perturbation.js';
import type { ChoiceStep, EpochResult, Found, SupernetSearchStart } from './supernet-search.js';

const own = {
  order: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe(
      'of the approximation of the architecture gradient (2.3): 1 takes w for what it is, 2 looks a step ahead',
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
};

const imageOptions = z.object({ ...gradientOptions.images, ...own });
const textOptions = z.object({ ...gradientOptions.tokens, ...own });

type Options = GradientSettings & z.infer<z.ZodObject<typeof own>>;

/** Epochs that the eigenvalue is averaged over, and looked back: k of Zela et al. 2020, section 4.3. */
const WINDOW = 5;
/** The share of the mean eigenvalue then in the present one below which the search ends, ibid. */
const LEAST_SHARE = 0.75;
const savedJson = z.object({ eigenvalues: z.array(z.number()), architectures: z.array(z.json()) });

/** What has been seen of the epochs, for the rule of early stopping. */
interface History {
  readonly eigenvalues: number[];
  /** Derived after each epoch. */
  readonly architectures: Json[];
}

/**
 * Differentiable architecture search of first and second order (Liu, Simonyan & Yang 2018, section 2.3), with what was found
 * to help against its collapse into skip connections.
 */
class Darts<Model extends object> extends GradientSearch<Model, Options> {
  /** Whether the architecture is being chosen, and the weights follow. */
  #tuning = false;
  #history: History = { eigenvalues: [], architectures: [] };

  constructor(start: SupernetSearchStart<Model, Options>) {
    super(start);
    const { earlyStop, selection } = this.options;
    if (earlyStop && selection === 'perturbation')
      throw new InputError(
        'earlyStop goes back to an earlier architecture, and the selection by perturbation takes the last weights: not both',
      );
  }

  override get trained(): boolean {
    return super.trained || this.#stopsEarly();
  }

  protected override step(train: Batch<Model>, next: () => Batch<Model>, learningRate: number): number {
    return this.#tuning ? this.trainWeightsAlone(train, learningRate) : super.step(train, next, learningRate);
  }

  protected override architectureGradient(
    problem: BilevelProblem,
    learningRate: number,
  ): ArchitectureGradient {
    const { order, momentum, weightDecay } = this.options;
    if (order === 1) return firstOrderGradient(problem);
    const optimizer = this.weightOptimizer;
    return secondOrderGradient(problem, { learningRate, momentum, weightDecay, optimizer });
  }

  override endEpoch(): EpochResult {
    const eigenvalue = this.#eigenvalue();
    if (eigenvalue !== undefined) this.#history.eigenvalues.push(eigenvalue);
    const result = super.endEpoch();
    this.#history.architectures.push(result.architecture as Json);
    return { ...result, ...(eigenvalue === undefined ? {} : { eigenvalue }) };
  }

  protected override warnings(skips: Readonly<Record<string, number>> | undefined): string[] {
    const grown = this.#grown() ? ['the dominant eigenvalue of the Hessian is growing'] : [];
    return [...super.warnings(skips), ...grown];
  }

  #eigenvalue(): number | undefined {
    if (!(this.options.eigenvalue || this.options.earlyStop)) return undefined;
    const seed = deriveSeed(this.seed, `eigenvalue of epoch ${this.epoch}`);
    this.supernet.train();
    for (const batch of this.task.pass('validation', {
      size: this.options.batchSize,
      training: { seed, epoch: this.epoch },
    }))
      return dominantEigenvalue(() => batch.loss(this.supernet), this.alphas, seed);
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

  override *choose(): Generator<ChoiceStep, Found, undefined> {
    if (this.#stopsEarly()) {
      const epoch = this.epoch - WINDOW;
      return this.found(this.#history.architectures[epoch - 1], {
        stoppedAfter: this.epoch,
        ofEpoch: epoch,
      });
    }
    if (this.options.selection === 'perturbation') yield* this.#perturb();
    return this.found(this.derived(), {});
  }

  #perturb(): Generator<ChoiceStep, void, undefined> {
    const { better } = this.task.measure;
    return selectByPerturbation({
      // Those of edges are one row, which is no choice between operations.
      alphas: this.alphas.filter(({ shape }) => (shape[0] as number) > 1),
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

  override stateJson(): Json {
    return { ...this.#history };
  }

  override loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void {
    super.loadState(state, json, epoch, loss);
    const { eigenvalues, architectures } = savedJson.parse(json);
    this.#history = { eigenvalues, architectures: architectures as Json[] };
  }
}

export const darts: WeightSharingDefinition<Options> = {
  name: 'darts',
  options: { images: imageOptions, tokens: textOptions },
  validationShare: 0.5,
  create: (start) => new Darts(start),
};
