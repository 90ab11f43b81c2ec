import {
  backward,
  fromTypedArray,
  generatorState,
  manualSeed,
  type nn,
  optim,
  scope,
  setGeneratorState,
  type Tensor,
} from '@espalier/torch';
import { z } from 'zod';
import type { Json } from '../json.js';
import { deriveSeed } from '../random/random.js';
import { isBetter } from '../tasks/measure.js';
import { type Batch, Diverged, evaluate, type Task } from '../tasks/task.js';
import { AveragedWeights } from './averaged-weights.js';
import type { Epochs } from './journaled-epochs.js';
import { prefixed, withPrefix } from './named-tensors.js';

/** How the weights of a network are trained, whatever it reads. */
export interface OptimiserSettings {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: 'constant' | 'cosine' | 'exponential';
  /** Of the learning rate each epoch, where the schedule is exponential. */
  readonly decay: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  /** The most that the norm of the gradient may be; 0 for any. */
  readonly clip: number;
  /** The probability of dropping a path that the last epoch has; from 0 on it grows by the same in each (ScheduledDropPath). */
  readonly dropPath?: number;
  /**
   * Weights are averaged from the epoch on whose validation measure is not better than the best of those at least so
   * many epochs before (NT-ASGD, Merity et al. 2017, section 4); 0: never, and nothing is validated.
   */
  readonly nonMonotone?: number;
}

interface TrainingOf<Model> {
  readonly network: nn.Module & Model;
  readonly task: Task<Model>;
  readonly settings: OptimiserSettings;
  /** Of the order of the images, their augmentation and dropout. */
  readonly seed: number;
}

/** Where a training stands after a step. */
export interface StepReport {
  /** Both counted from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly learningRate: number;
  /** The mean over the images or tokens of the epoch so far. */
  readonly loss: number;
}

/** A network whose paths are dropped in training. */
interface DropsPaths {
  dropPathProbability: number;
}

/**
 * The training of a network: stochastic gradient descent with momentum. An epoch at a
 * time, so that it can be saved in between and gone on with exactly.
 */
export class NetworkTraining<Model> implements Epochs<StepReport> {
  readonly #training: TrainingOf<Model>;
  readonly #optimizer: optim.SGD;
  readonly #rate: optim.Schedule;
  readonly #stepsPerEpoch: number;
  /** Since the training began to average. */
  #averaged: AveragedWeights | undefined;
  /** The validation measures of the epochs done, where they are looked at. */
  #measures: number[] = [];
  #epoch = 0;
  #lastLoss = Number.NaN;

  constructor(training: TrainingOf<Model>) {
    const { network, task, settings, seed } = training;
    const { learningRate, momentum, nesterov, weightDecay, schedule, epochs, batchSize } = settings;
    this.#training = training;
    this.#stepsPerEpoch = task.batchCount('train', batchSize);
    this.#rate = {
      constant: () => learningRate,
      cosine: optim.cosineSchedule(learningRate, epochs * this.#stepsPerEpoch),
      exponential: optim.stepSchedule(learningRate, this.#stepsPerEpoch, settings.decay),
    }[schedule];
    this.#optimizer = new optim.SGD(network.parameters(), {
      learningRate,
      momentum,
      nesterov: nesterov && momentum > 0,
      weightDecay,
    });
    manualSeed(deriveSeed(seed, 'dropout'));
  }

  get epoch(): number {
    return this.#epoch;
  }

  get lastLoss(): number {
    return this.#lastLoss;
  }

  get trained(): boolean {
    return this.#epoch >= this.#training.settings.epochs;
  }

  /** @throws Diverged when a loss is not finite */
  *trainEpoch(): Generator<StepReport, void, undefined> {
    const { network, task, settings, seed } = this.#training;
    const epoch = this.#epoch + 1;
    this.#dropPaths(epoch);
    network.train();
    let sum = 0;
    let seen = 0;
    let step = 0;
    for (const batch of task.pass('train', { size: settings.batchSize, training: { seed, epoch } })) {
      const learningRate = this.#rate(this.#epoch * this.#stepsPerEpoch + step) * batch.length;
      step++;
      // Texts are cut anew in each epoch, so the number of steps varies a little.
      const stepsPerEpoch = Math.max(step, this.#stepsPerEpoch);
      const loss = this.#step(batch, learningRate);
      if (!Number.isFinite(loss))
        throw new Diverged(
          `diverged: the loss is ${loss} in epoch ${epoch}, step ${step} of ${stepsPerEpoch}`,
        );
      sum += loss * batch.count;
      seen += batch.count;
      yield { epoch, step, stepsPerEpoch, learningRate, loss: sum / seen };
    }
    this.#epoch = epoch;
    this.#lastLoss = sum / seen;
  }

  #dropPaths(epoch: number): void {
    const { network, settings } = this.#training;
    const { dropPath = 0, epochs } = settings;
    if (dropPath > 0 && 'dropPathProbability' in network)
      (network as DropsPaths).dropPathProbability = (dropPath * (epoch - 1)) / epochs;
  }

  #step(batch: Batch<Model>, learningRate: number): number {
    const { network, settings } = this.#training;
    this.#optimizer.learningRate = learningRate;
    return scope(() => {
      const { loss, total } = batch.trainingLoss(network);
      this.#optimizer.zeroGrad();
      backward(total);
      if (settings.clip > 0) optim.clipGradientNorm(this.#optimizer.parameters, settings.clip);
      this.#optimizer.step();
      this.#averaged?.update();
      return loss.item();
    });
  }

  endEpoch(): Readonly<Record<string, Json>> {
    const { network, task, settings } = this.#training;
    const { nonMonotone = 0, batchSize: size } = settings;
    if (nonMonotone === 0) return {};
    network.eval();
    const validate = () => evaluate<Model>(task, network, 'validation', { size });
    const value = this.#averaged === undefined ? validate() : this.#averaged.within(validate);
    const before = this.#measures.slice(0, Math.max(0, this.#measures.length - nonMonotone));
    const stands = before.some((earlier) => isBetter(task.measure, earlier, value));
    if (stands) this.#averaged ??= new AveragedWeights(network.parameters());
    this.#measures.push(value);
    return { [task.measure.name]: value, averaged: this.#averaged !== undefined };
  }

  /** The weights that the training has come to: the averaged ones, where it has begun to average. */
  finish(): void {
    this.#averaged?.replace();
  }

  stateDict(): Map<string, Tensor> {
    const generator = generatorState();
    return new Map([
      ...prefixed('network.', this.#training.network.stateDict()),
      ...prefixed('optimizer.', this.#optimizer.stateDict()),
      ...prefixed('averaged.', this.#averaged?.stateDict() ?? new Map()),
      ['generator', fromTypedArray(generator, [generator.length])],
    ]);
  }

  stateJson(): Json {
    return { measures: this.#measures };
  }

  loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void {
    const generator = state.get('generator');
    if (generator === undefined) throw new Error("the state has no 'generator'");
    this.#training.network.loadStateDict(withPrefix('network.', state));
    this.#optimizer.loadStateDict(withPrefix('optimizer.', state));
    this.#measures = [...savedJson.parse(json).measures];
    const averaged = withPrefix('averaged.', state);
    if (averaged.size > 0) {
      this.#averaged = new AveragedWeights(this.#training.network.parameters());
      this.#averaged.loadStateDict(averaged);
    }
    setGeneratorState(generator.toTypedArray() as Uint8Array);
    this.#epoch = epoch;
    this.#lastLoss = loss;
  }

  /** Frees what the optimiser remembers; the network is the caller's. */
  free(): void {
    this.#optimizer.free();
    this.#averaged?.free();
  }
}

const savedJson = z.object({ measures: z.array(z.number()) });
