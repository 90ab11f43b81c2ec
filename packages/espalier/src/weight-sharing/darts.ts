import type { Tensor } from '@espalier/torch';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { goodness } from '../measures/measure.js';
import { deriveSeed } from '../random/random.js';
import { Diverged } from '../tasks/task.js';
import {
  type ArchitectureGradient,
  type BilevelProblem,
  firstOrderGradient,
  secondOrderGradient,
} from './architecture-gradient.js';
import type { OptionsOf, WeightSharingDefinition } from './definition.js';
import { dominantEigenvalue } from './dominant-eigenvalue.js';
import { epochBeforeGrowth, takesEigenvalue } from './early-stopping.js';
import { GradientSearch, type GradientSettings, gradientOptions } from './gradient-search.js';
import { SelectionByPerturbation } from './perturbation.js';
import type { ChoiceStep, EpochResult, Found, SearchStep, SupernetSearchStart } from './supernet-search.js';
import { undisturbed } from './undisturbed.js';

/** @param clipsLookAhead whether the authors' look-ahead is clipped */
const ownOptions = (clipsLookAhead: boolean) => ({
  order: z
    .union([z.literal(1), z.literal(2)])
    .default(1)
    .describe(
      'order of the approximation of the architecture gradient (2.3): 1 takes w as it is, 2 looks one step ahead',
    ),
  clipLookAhead: z
    .boolean()
    .default(clipsLookAhead)
    .describe(
      'with order 2, whether the gradient of the look-ahead and the direction of the finite difference are clipped to ' +
        "'clip' (the authors' rnn/architect.py does so, cnn/architect.py does not)",
    ),
  selection: z
    .enum(['magnitude', 'perturbation'])
    .default('magnitude')
    .describe(
      'how the architecture is chosen: by the largest weights (2.4), or by what the supernet loses without an operation or ' +
        'an edge (DARTS-PT, Wang et al. 2021). The latter takes more epochs after the search, in rounds of tuneEpochs: one ' +
        'edge of each kind of cell a round, then one node. As in their code the epochs train weights and alphas, with a new ' +
        'optimiser at a tenth of learningRate, constant, and batch norm measures with the statistics of the batches. Unlike ' +
        'there the validation data is not augmented and comes in the same order each time, so that all candidates see the ' +
        "same batches; running statistics do not change meanwhile; 'none' stays in the mixtures of darts-cnn, though it is " +
        'never kept there; and on nasbench201, where their supernet is trained for 100 epochs, the last edge is decided one ' +
        'epoch later',
    ),
  tuneEpochs: z
    .int()
    .min(1)
    .default(5)
    .describe(
      'with the selection by perturbation, epochs of training after each round but the last, which has one (their scripts: 5)',
    ),
  eigenvalue: z
    .boolean()
    .default(false)
    .describe(
      'journals the dominant eigenvalue of the Hessian of the validation loss with respect to alpha, weight decay included, ' +
        'in the first, third, fifth, ... and the last epoch (Zela et al. 2020)',
    ),
  earlyStop: z
    .boolean()
    .default(false)
    .describe(
      'stops the search when the mean of the last 5 eigenvalues is more than 1.3 times the mean of the 5 that end 4 before, ' +
        'and goes back 12 epochs, though never to one of the first 10 (DARTS-ES, Zela et al. 2020, section 4.3, with the ' +
        'numbers of their code)',
    ),
});

/** The tasks for which the authors of DARTS clip the look-ahead. */
const clipping: ReadonlySet<string> = new Set(['language-modelling']);

type Options = GradientSettings & z.infer<z.ZodObject<ReturnType<typeof ownOptions>>>;

/** The learning rate while the selection tunes, as a share of that of the search (DARTS-PT, projection.py). */
const TUNING_RATE = 1 / 10;

const savedJson = z.strictObject({
  eigenvalues: z.array(z.number()),
  architectures: z.array(z.json()),
  selection: z.json(),
});

/** What early stopping needs to know of the epochs so far. */
interface History {
  /** Those that early stopping compares: of the first, third, fifth, ... epoch. */
  readonly eigenvalues: number[];
  /** Derived after each epoch. */
  readonly architectures: Json[];
}

/**
 * Differentiable architecture search of first and second order (Liu, Simonyan & Yang 2018, section 2.3), with remedies for
 * its collapse into skip connections.
 */
class Darts<Model extends object> extends GradientSearch<Model, Options> {
  #history: History = { eigenvalues: [], architectures: [] };
  readonly #selection: SelectionByPerturbation | undefined;

  constructor(start: SupernetSearchStart<Model, Options>) {
    super(start);
    const { earlyStop, selection, maxSkips } = this.options;
    if (selection === 'magnitude') return;
    if (earlyStop)
      throw new InputError(
        'earlyStop goes back to an earlier architecture, but the selection by perturbation needs the last weights: ' +
          'not both',
      );
    if (maxSkips !== undefined)
      throw new InputError(
        'maxSkips replaces skip connections by the next largest weights, but the selection by perturbation has decided ' +
          'for one operation on each edge: not both',
      );
    this.#selection = this.#makeSelection();
    this.supernet.relax(this.#selection.relaxation);
  }

  #makeSelection(): SelectionByPerturbation {
    const choices = this.supernet.choices?.();
    if (choices === undefined)
      throw new InputError(
        `selection 'perturbation': the supernet of space ${this.space.name} has no choices(); allowed here: magnitude`,
      );
    const parameters = this.supernet.architectureParameters();
    const cells = Object.entries(choices).map(([name, choice]) => ({
      name,
      choice,
      alphas: parameters[name] as Tensor,
    }));
    return new SelectionByPerturbation(cells, this.seed);
  }

  override get epochs(): number {
    const { epochs, tuneEpochs } = this.options;
    return epochs + (this.#selection === undefined ? 0 : tuneEpochs * (this.#selection.rounds - 1) + 1);
  }

  override get trained(): boolean {
    return super.trained || this.#earlierEpoch() !== undefined;
  }

  /** The epochs of the selection that are done; negative in the search. */
  get #tuned(): number {
    return this.epoch - this.options.epochs;
  }

  protected override learningRate(): number {
    return this.#tuned < 0 ? super.learningRate() : this.options.learningRate * TUNING_RATE;
  }

  override *trainEpoch(): Generator<SearchStep, void, undefined> {
    const selection = this.#selection;
    const tuned = this.#tuned;
    // A new optimiser has no velocities.
    if (tuned === 0) this.weightOptimizer.free();
    const decides = selection !== undefined && tuned >= 0 && tuned % this.options.tuneEpochs === 0;
    const measurements = decides ? selection.measurements : 0;
    if (decides) {
      const stepsPerEpoch = measurements + this.stepsPerEpoch;
      for (const step of selection.decide(() => this.#goodness()))
        yield { epoch: this.epoch + 1, epochs: this.epochs, step, stepsPerEpoch, loss: this.lastLoss };
    }
    for (const { step, stepsPerEpoch, ...rest } of super.trainEpoch())
      yield { ...rest, step: step + measurements, stepsPerEpoch: stepsPerEpoch + measurements };
  }

  /** What the supernet is worth as it is relaxed now, with the same dropout masks each time. */
  #goodness(): number {
    const measures = undisturbed(this.supernet, () => this.validate(this.supernet, 'batch'));
    return goodness(this.objective, measures[this.objective.name] as number);
  }

  protected override architectureGradient(
    problem: BilevelProblem,
    learningRate: number,
  ): ArchitectureGradient {
    const { order, momentum, nesterov, weightDecay, clip, clipLookAhead } = this.options;
    if (order === 1) return firstOrderGradient(problem);
    return secondOrderGradient(problem, {
      learningRate,
      momentum,
      nesterov,
      weightDecay,
      optimizer: this.weightOptimizer,
      ...(clipLookAhead ? { clip } : {}),
    });
  }

  override endEpoch(): EpochResult {
    const eigenvalue = this.#eigenvalue();
    if (eigenvalue !== undefined && takesEigenvalue(this.epoch)) this.#history.eigenvalues.push(eigenvalue);
    const result = super.endEpoch();
    this.#history.architectures.push(result.architecture as Json);
    return {
      ...result,
      ...(eigenvalue === undefined ? {} : { eigenvalue }),
      ...(this.#tuned > 0 ? { selection: this.#progress() } : {}),
    };
  }

  #progress(): Json {
    const { round, rounds } = this.#selection as SelectionByPerturbation;
    return { round, rounds };
  }

  protected override warnings(skips: Readonly<Record<string, number>> | undefined): string[] {
    const grown = epochBeforeGrowth(this.#history.eigenvalues) !== undefined;
    return [
      ...super.warnings(skips),
      ...(grown ? ['the dominant eigenvalue of the Hessian is growing'] : []),
    ];
  }

  /** The eigenvalue after the last epoch, where it is asked for; on a validation batch, augmented as in training. */
  #eigenvalue(): number | undefined {
    const { eigenvalue, earlyStop, epochs, batchSize: size, alphaWeightDecay } = this.options;
    const isDue = takesEigenvalue(this.epoch) || this.epoch === epochs;
    if (!(eigenvalue || earlyStop) || !isDue || this.epoch > epochs) return undefined;
    const seed = deriveSeed(this.seed, `eigenvalue of epoch ${this.epoch}`);
    for (const batch of this.task.pass('validation', { size, training: { seed, epoch: this.epoch } })) {
      const value = undisturbed(this.supernet, () => {
        this.supernet.train();
        return dominantEigenvalue(() => batch.loss(this.supernet), this.alphas, seed);
      });
      if (!Number.isFinite(value))
        throw new Diverged(`diverged: the dominant eigenvalue is ${value} after epoch ${this.epoch}`);
      // The authors' Hessian is that of the loss with the weight decay.
      return value + alphaWeightDecay;
    }
    return undefined;
  }

  /** The epoch that early stopping goes back to. It does not stop after the last one. */
  #earlierEpoch(): number | undefined {
    const { earlyStop, epochs } = this.options;
    return earlyStop && this.epoch < epochs ? epochBeforeGrowth(this.#history.eigenvalues) : undefined;
  }

  protected override derived(): unknown {
    return this.#selection === undefined ? super.derived() : this.#selection.written(() => super.derived());
  }

  protected override mixtureWeights(alphas: Tensor): Tensor {
    return this.#tuned > 0 && this.#selection !== undefined
      ? this.#selection.relaxation(alphas)
      : super.mixtureWeights(alphas);
  }

  override *choose(): Generator<ChoiceStep, Found, undefined> {
    const epoch = this.#earlierEpoch();
    if (epoch === undefined) return yield* super.choose();
    return this.found(this.#history.architectures[epoch - 1], { stoppedAfter: this.epoch, ofEpoch: epoch });
  }

  override stateJson(): Json {
    return { ...this.#history, selection: this.#selection?.toJson() ?? null };
  }

  override loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void {
    super.loadState(state, json, epoch, loss);
    const { eigenvalues, architectures, selection } = savedJson.parse(json);
    this.#history = { eigenvalues, architectures: architectures as Json[] };
    this.#selection?.restore(selection as Json);
  }
}

export const darts: WeightSharingDefinition<Options> = {
  name: 'darts',
  sharesWeights: true,
  options: (task) =>
    z.strictObject({
      ...gradientOptions(task),
      ...ownOptions(clipping.has(task.name)),
    }) as unknown as OptionsOf<Options>,
  validationShare: 0.5,
  create: (start) => new Darts(start),
};
