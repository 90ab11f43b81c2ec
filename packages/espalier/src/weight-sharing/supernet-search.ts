import {
  backward,
  fromTypedArray,
  generatorState,
  manualSeed,
  type nn,
  noGrad,
  optim,
  scope,
  setGeneratorState,
  type Tensor,
} from '@espalier/torch';
import type { Json } from '../json.js';
import { deriveSeed } from '../random/random.js';
import type { Space } from '../space/space.js';
import type { SharesWeights } from '../supernets/supernet.js';
import { type Batch, Diverged, endless, evaluate, type Task } from '../tasks/task.js';
import type { Epochs } from '../training/journaled-epochs.js';
import { prefixed, withPrefix } from '../training/named-tensors.js';
import type { SupernetSettings } from './supernet-settings.js';

/** A supernet as a search trains it. `Model` is how it, or one of its architectures, is called. */
export type SearchedSupernet<Model> = nn.Module & SharesWeights & Model;

/** What a search over shared weights begins with. */
export interface SupernetSearchStart<Model, Options extends SupernetSettings = SupernetSettings> {
  readonly space: Space;
  readonly task: Task<Model>;
  /** In the layout and on the device that it is trained in. */
  readonly supernet: SearchedSupernet<Model>;
  readonly options: Options;
  readonly seed: number;
}

/** Where a search stands after a step. */
export interface SearchStep {
  /** Both counted from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** The mean training loss of the epoch so far. */
  readonly loss: number;
}

/** What an epoch came to, for the journal: plain JSON. */
export type EpochResult = Readonly<Record<string, Json>>;

/** The architecture that a search comes to. */
export interface Found {
  readonly architecture: unknown;
  /** What else the journal is to say of the choice. */
  readonly details: Readonly<Record<string, Json>>;
}

/** How far the choice of the architecture is. */
export interface ChoiceStep {
  readonly done: number;
  readonly of: number;
  readonly what: string;
}

/**
 * A search that trains one supernet in place of many networks: an epoch at a time, so that it can be saved in between
 * and gone on with exactly; at the end an architecture is chosen with the shared weights. What strategies differ in is
 * a step, and the choice.
 */
export abstract class SupernetSearch<Model, Options extends SupernetSettings = SupernetSettings>
  implements Epochs<SearchStep>
{
  protected readonly space: Space;
  protected readonly task: Task<Model>;
  protected readonly supernet: SearchedSupernet<Model>;
  protected readonly options: Options;
  protected readonly seed: number;
  /** All but the architecture parameters. */
  protected readonly weights: readonly nn.Parameter[];
  protected readonly weightOptimizer: optim.SGD;
  protected readonly stepsPerEpoch: number;
  #epoch = 0;
  #lastLoss = Number.NaN;

  constructor({ space, task, supernet, options, seed }: SupernetSearchStart<Model, Options>) {
    this.space = space;
    this.task = task;
    this.supernet = supernet;
    this.options = options;
    this.seed = seed;
    this.weights = supernet.parameters();
    const { learningRate, momentum, weightDecay, batchSize } = options;
    this.weightOptimizer = new optim.SGD(this.weights, { learningRate, momentum, weightDecay });
    this.stepsPerEpoch = task.batchCount('train', batchSize);
    manualSeed(deriveSeed(seed, 'search'));
  }

  /** Epochs that are done. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The mean training loss of the last epoch; NaN before the first. */
  get lastLoss(): number {
    return this.#lastLoss;
  }

  /** Whether all epochs are done, or the search has seen that more would do harm. */
  get trained(): boolean {
    return this.#epoch >= this.options.epochs;
  }

  /**
   * Trains one epoch; a step is made each time the caller asks for the next report.
   *
   * @throws Diverged when a loss is not finite
   */
  *trainEpoch(): Generator<SearchStep, void, undefined> {
    const { batchSize: size } = this.options;
    const epoch = this.#epoch + 1;
    const rate = optim.cosineSchedule(
      this.options.learningRate,
      this.options.epochs,
      this.options.finalLearningRate,
    )(this.#epoch);
    const validation = endless(this.task, 'validation', {
      size,
      seed: deriveSeed(this.seed, 'validation'),
      epoch,
    });
    const next = () => validation.next().value;
    this.supernet.train();
    let sum = 0;
    let seen = 0;
    let step = 0;
    try {
      for (const batch of this.task.pass('train', { size, training: { seed: this.seed, epoch } })) {
        step++;
        const loss = scope(() => this.step(batch, next, rate * batch.length));
        if (!Number.isFinite(loss))
          throw new Diverged(`diverged: the training loss is ${loss} in epoch ${epoch}, step ${step}`);
        sum += loss * batch.count;
        seen += batch.count;
        // Texts are cut anew in each epoch, so the number of steps varies a little.
        yield { epoch, step, stepsPerEpoch: Math.max(step, this.stepsPerEpoch), loss: sum / seen };
      }
    } finally {
      validation.return(undefined as never);
    }
    this.#epoch = epoch;
    this.#lastLoss = sum / seen;
  }

  /**
   * One step of the search, in a scope of its own.
   *
   * @param next the validation batch of the step, and of further ones
   * @returns the training loss
   */
  protected abstract step(train: Batch<Model>, next: () => Batch<Model>, learningRate: number): number;

  /** What the last epoch came to. Called once an epoch. */
  abstract endEpoch(): EpochResult;

  /** Chooses the architecture. */
  abstract choose(): Generator<ChoiceStep, Found, undefined>;

  /** The step of the weights along the gradient of the training loss of a model that shares them. */
  protected trainWeights(model: Model, batch: Batch<Model>, learningRate: number): number {
    const { loss, total } = batch.trainingLoss(model);
    this.weightOptimizer.zeroGrad();
    backward(total);
    optim.clipGradientNorm(this.weights, this.options.clip);
    this.weightOptimizer.learningRate = learningRate;
    this.weightOptimizer.step();
    this.weightOptimizer.zeroGrad();
    return loss.item();
  }

  /** The measure of a model that shares the weights, on the validation data. @throws Diverged */
  protected validate(model: Model): number {
    this.supernet.eval();
    return evaluate(this.task, model, 'validation', { size: this.options.batchSize });
  }

  /** The same; undefined where it gives no numbers, which one path of many may without an end to the search. */
  protected validateIfFinite(model: Model): number | undefined {
    try {
      return this.validate(model);
    } catch (error) {
      if (error instanceof Diverged) return undefined;
      throw error;
    }
  }

  /** All that the next epoch depends on, but for `stateJson`. */
  stateDict(): Map<string, Tensor> {
    const generator = generatorState();
    return new Map<string, Tensor>([
      ...prefixed('supernet.', this.supernet.stateDict()),
      ...prefixed('architecture.', new Map(Object.entries(this.supernet.architectureParameters()))),
      ...prefixed('weights.', this.weightOptimizer.stateDict()),
      ['generator', fromTypedArray(generator, [generator.length])],
    ]);
  }

  /** What is no tensor of what the next epoch depends on. */
  stateJson(): Json {
    return null;
  }

  /** Goes on after `epoch`. @throws Error where the state is not of this search */
  loadState(state: ReadonlyMap<string, Tensor>, _json: Json, epoch: number, loss: number): void {
    const generator = state.get('generator');
    if (generator === undefined) throw new Error("the state has no 'generator'");
    this.supernet.loadStateDict(withPrefix('supernet.', state));
    const saved = withPrefix('architecture.', state);
    for (const [name, parameter] of Object.entries(this.supernet.architectureParameters())) {
      const value = saved.get(name);
      if (value === undefined) throw new Error(`the state has no 'architecture.${name}'`);
      noGrad(() => parameter.copy_(value));
    }
    this.weightOptimizer.loadStateDict(withPrefix('weights.', state));
    setGeneratorState(generator.toTypedArray() as Uint8Array);
    this.#epoch = epoch;
    this.#lastLoss = loss;
  }

  /** Frees what the search remembers; the supernet is the caller's. */
  free(): void {
    this.weightOptimizer.free();
  }
}
