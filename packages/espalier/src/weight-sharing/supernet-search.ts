import { backward, manualSeed, type nn, noGrad, optim, scope, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { Measure, Measures } from '../measures/measure.js';
import { deriveSeed } from '../random/random.js';
import type { JournalEvent } from '../runs/journal-event.js';
import { type MemoryInUse, memoryInUse } from '../runs/memory-in-use.js';
import type { Space } from '../space/space.js';
import type { SharesWeights } from '../supernets/supernet.js';
import { type Batch, Diverged, endless, evaluate, type Sample, type Task } from '../tasks/task.js';
import { generatorStates, savedGenerators, setGenerators } from '../training/generators.js';
import type { Epochs } from '../training/journaled-epochs.js';
import { prefixed, withPrefix } from '../training/named-tensors.js';
import type { Peers } from '../training/peers.js';
import type { SupernetSettings } from './supernet-settings.js';

/** A supernet as a search trains it. `Model` is how the supernet, or one of its architectures, is called. */
export type SearchedSupernet<Model> = nn.Module & SharesWeights & Model;

/** What a search with shared weights begins with. */
export interface SupernetSearchStart<Model, Options extends SupernetSettings = SupernetSettings> {
  readonly space: Space;
  readonly task: Task<Model>;
  /** In the memory layout and on the device in which it is trained. */
  readonly supernet: SearchedSupernet<Model>;
  readonly options: Options;
  readonly seed: number;
  /**
   * The processes that train it with this one. All of them do the same, but for the batches of a step, of which each reads a
   * part. Missing: one process trains it alone.
   */
  readonly peers?: Peers | undefined;
}

/** The progress of a search after a step. */
export interface SearchStep {
  /** Counted from 1, as steps are. */
  readonly epoch: number;
  /** How many epochs there are in all. */
  readonly epochs: number;
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** The mean training loss of the epoch so far; of the last epoch before the first step of this one. */
  readonly loss: number;
}

/** The result of an epoch for the journal: plain JSON. */
export type EpochResult = Readonly<Record<string, Json>>;

/** The architecture that a search finds. */
export interface Found {
  readonly architecture: unknown;
  /** What else the journal says of the choice. */
  readonly details: Readonly<Record<string, Json>>;
}

/** The progress of the choice of the architecture. */
export interface ChoiceStep {
  readonly done: number;
  readonly of: number;
  readonly what: string;
  /** What goes into the journal at this point: a run that is stopped later need not do the work before it again. */
  readonly event?: JournalEvent;
}

/**
 * A search that trains one supernet in place of many networks, an epoch at a time, so that it can be saved after each
 * epoch and continued exactly. At the end it chooses an architecture with the shared weights. Strategies differ in a
 * step and in the choice. A choice that trains on takes epochs of its own, after those of the options: they are journaled
 * and saved like the others.
 */
export abstract class SupernetSearch<Model, Options extends SupernetSettings = SupernetSettings>
  implements Epochs<SearchStep>
{
  protected readonly space: Space;
  protected readonly task: Task<Model>;
  protected readonly supernet: SearchedSupernet<Model>;
  protected readonly options: Options;
  protected readonly seed: number;
  /** The processes that train the supernet together; see `SupernetSearchStart`. */
  protected readonly peers: Peers | undefined;
  /** All parameters but those of the architecture. */
  protected readonly weights: readonly nn.Parameter[];
  protected readonly weightOptimizer: optim.SGD;
  protected readonly stepsPerEpoch: number;
  #epoch = 0;
  #lastLoss = Number.NaN;

  constructor({ space, task, supernet, options, seed, peers }: SupernetSearchStart<Model, Options>) {
    this.peers = peers;
    this.space = space;
    this.task = task;
    this.supernet = supernet;
    this.options = options;
    this.seed = seed;
    this.weights = supernet.parameters();
    const { learningRate, momentum, nesterov = false, weightDecay, batchSize } = options;
    if (nesterov && momentum === 0)
      throw new InputError('nesterov = true: Nesterov momentum needs a momentum above 0');
    this.weightOptimizer = new optim.SGD(this.weights, { learningRate, momentum, nesterov, weightDecay });
    this.stepsPerEpoch = task.batchCount('train', batchSize);
    manualSeed(deriveSeed(seed, 'search'));
  }

  /** The measure that decides. */
  protected get objective(): Measure {
    return this.task.measures[0];
  }

  /** How many epochs are done. */
  get epoch(): number {
    return this.#epoch;
  }

  /** How many epochs there are in all. */
  get epochs(): number {
    return this.options.epochs;
  }

  /** The mean training loss of the last epoch; NaN before the first. */
  get lastLoss(): number {
    return this.#lastLoss;
  }

  /** Whether all epochs are done, or the search has found that more would do harm. */
  get trained(): boolean {
    return this.#epoch >= this.epochs;
  }

  /** The learning rate of the weights in the next epoch. */
  protected learningRate(): number {
    const { learningRate, epochs, finalLearningRate } = this.options;
    return optim.cosineSchedule(learningRate, epochs, finalLearningRate)(this.#epoch);
  }

  /**
   * Trains one epoch. Each request for the next report makes one step.
   *
   * @throws Diverged when a loss is not finite
   */
  *trainEpoch(): Generator<SearchStep, void, undefined> {
    const { batchSize: size, device } = this.options;
    const { peers } = this;
    const share = peers === undefined ? {} : { share: peers.share };
    const epoch = this.#epoch + 1;
    const rate = this.learningRate();
    const validation = endless(this.task, 'validation', {
      size,
      seed: deriveSeed(this.seed, 'validation'),
      epoch,
      ...share,
    });
    const next = () => wholeOf(validation.next().value);
    const wholeOf = (batch: Batch<Model>) => (peers === undefined ? batch : peers.whole(batch));
    this.supernet.train();
    let sum = 0;
    let seen = 0;
    let step = 0;
    try {
      for (const part of this.task.pass('train', { size, training: { seed: this.seed, epoch, ...share } })) {
        step++;
        peers?.drawAlike(device);
        const batch = wholeOf(part);
        const own = () => scope(() => this.step(batch, next, rate * batch.length));
        const loss = peers === undefined ? own() : peers.within(own);
        if (!Number.isFinite(loss))
          throw new Diverged(`diverged: the training loss is ${loss} in epoch ${epoch}, step ${step}`);
        sum += loss * batch.count;
        seen += batch.count;
        // Each epoch cuts texts anew, so the number of steps varies a little.
        const stepsPerEpoch = Math.max(step, this.stepsPerEpoch);
        yield { epoch, epochs: this.epochs, step, stepsPerEpoch, loss: sum / seen };
      }
    } finally {
      validation.return(undefined as never);
    }
    // Parts may have drawn more or less than others, and what follows decides.
    peers?.drawAlike(device);
    this.#epoch = epoch;
    this.#lastLoss = sum / seen;
  }

  /**
   * One step of the search, in a scope of its own.
   *
   * @param next the next validation batch
   * @returns the mean training loss of the batch
   */
  protected abstract step(train: Batch<Model>, next: () => Batch<Model>, learningRate: number): number;

  /** The result of the last epoch. Called once after each epoch. */
  abstract endEpoch(): EpochResult;

  /**
   * Chooses the architecture.
   *
   * @param recorded the event that the journal already has at this point, if any: the work before it can be left out
   */
  abstract choose(recorded?: () => JournalEvent | undefined): Generator<ChoiceStep, Found, undefined>;

  /** Pictures of what the search has come to, on validation data, for tasks that have some. */
  samples(_found: Found): readonly Sample[] | undefined {
    return undefined;
  }

  /** One step of the weights, along the gradient of the training loss of a model that shares them. */
  protected trainWeights(model: Model, batch: Batch<Model>, learningRate: number): number {
    const { loss, total } = batch.trainingLoss(model);
    this.weightOptimizer.zeroGrad();
    backward(total);
    this.peers?.sum(this.weights.flatMap(({ grad }) => grad ?? []));
    optim.clipGradientNorm(this.weights, this.options.clip);
    this.weightOptimizer.learningRate = learningRate;
    this.weightOptimizer.step();
    this.weightOptimizer.zeroGrad();
    return loss.item();
  }

  /**
   * The measures of a model that shares the weights, on the validation data, unaugmented and in order.
   *
   * @param statistics what batch norm normalises with: its running statistics, in evaluation mode, or those of each batch,
   * in training mode
   * @throws Diverged
   */
  protected validate(model: Model, statistics: 'running' | 'batch' = 'running'): Measures {
    this.supernet.train(statistics === 'batch');
    return evaluate(this.task, model, 'validation', { size: this.options.batchSize });
  }

  /** The same; undefined where outputs are not finite, which need not end the search when it is one path of many. */
  protected validateIfFinite(model: Model): Measures | undefined {
    try {
      return this.validate(model);
    } catch (error) {
      if (error instanceof Diverged) return undefined;
      throw error;
    }
  }

  memory(): readonly MemoryInUse[] {
    return [memoryInUse(this.options.device)];
  }

  /** All that the next epoch depends on, besides `stateJson`. */
  stateDict(): Map<string, Tensor> {
    return new Map<string, Tensor>([
      ...prefixed('supernet.', this.supernet.stateDict()),
      ...prefixed('architecture.', new Map(Object.entries(this.supernet.architectureParameters()))),
      ...prefixed('weights.', this.weightOptimizer.stateDict()),
      ...generatorStates(this.options.device),
    ]);
  }

  /** Everything that the next epoch depends on and that is no tensor. */
  stateJson(): Json {
    return null;
  }

  /** Continues after `epoch`. @throws Error where the state belongs to another search */
  loadState(state: ReadonlyMap<string, Tensor>, _json: Json, epoch: number, loss: number): void {
    const { device } = this.options;
    const generators = savedGenerators(state, device);
    this.supernet.loadStateDict(withPrefix('supernet.', state));
    const saved = withPrefix('architecture.', state);
    for (const [name, parameter] of Object.entries(this.supernet.architectureParameters())) {
      const value = saved.get(name);
      if (value === undefined) throw new Error(`the state has no 'architecture.${name}'`);
      noGrad(() => parameter.copy_(value));
    }
    this.weightOptimizer.loadStateDict(withPrefix('weights.', state));
    setGenerators(generators, device);
    this.#epoch = epoch;
    this.#lastLoss = loss;
  }

  /** Frees the state of the search. The supernet belongs to the caller. */
  free(): void {
    this.weightOptimizer.free();
  }
}
