import { backward, manualSeed, type nn, optim, scope, type Tensor } from '@espalier/torch';
import { z } from 'zod';
import type { Json } from '../json.js';
import { isBetter, type Measures } from '../measures/measure.js';
import { deriveSeed } from '../random/random.js';
import { type MemoryInUse, memoryInUse } from '../runs/memory-in-use.js';
import { type Batch, Diverged, evaluate, type Task } from '../tasks/task.js';
import { AveragedWeights, exponential } from './averaged-weights.js';
import { BestWeights } from './best-weights.js';
import { generatorStates, savedGenerators, setGenerators } from './generators.js';
import type { Epochs } from './journaled-epochs.js';
import { prefixed, withPrefix } from './named-tensors.js';
import { makeOptimiser, type UpdateRule } from './optimisers.js';
import type { Peers } from './peers.js';

/** How the weights of a network are trained, whatever the task. */
export interface OptimiserSettings extends UpdateRule {
  readonly epochs: number;
  readonly batchSize: number;
  readonly schedule: 'constant' | 'cosine' | 'poly' | 'exponential' | 'step';
  /** Factor of the learning rate: after each epoch of the exponential schedule, once of the step. */
  readonly decay: number;
  /** Epochs at the full learning rate before it decays: exponential and step. 1 by default. */
  readonly decayEpoch?: number;
  /** Epochs from one decay to the next of the exponential schedule. 1 by default. */
  readonly decayEvery?: number;
  /** Greatest norm of the gradient; 0 does not clip it. */
  readonly clip: number;
  /** Probability of dropping a path at the end. It grows linearly from 0 (ScheduledDropPath). */
  readonly dropPath?: number;
  readonly dropPathGrowsBy?: 'epoch' | 'step';
  /** Decay rate of a running average of the weights, which is what is evaluated. 0, the default: there is none. */
  readonly averageDecay?: number;
  /**
   * n of NT-ASGD (Merity et al. 2017, section 4): averaging begins with the first epoch whose validation measure is worse
   * than the best one of more than n epochs ago. 0: never, and nothing is validated.
   */
  readonly nonMonotone?: number;
  /**
   * Whether the training ends with the weights of the epoch with the best validation measure. A loss that is not finite
   * then goes back to them once, instead of ending the training.
   */
  readonly keepBest?: boolean;
}

interface TrainingOf<Model> {
  readonly network: nn.Module & Model;
  readonly task: Task<Model>;
  readonly settings: OptimiserSettings & { readonly device?: string };
  /** Of the order of the inputs, their augmentation, and dropout. */
  readonly seed: number;
  /** Missing: one process trains it alone. */
  readonly peers?: Peers | undefined;
}

/** Where a training stands after a step. */
export interface StepReport {
  /** Both counted from 1. */
  readonly epoch: number;
  readonly step: number;
  readonly stepsPerEpoch: number;
  readonly learningRate: number;
  /** The mean over the inputs of the epoch so far. */
  readonly loss: number;
}

/** A network that drops paths in training. */
interface DropsPaths {
  dropPathProbability: number;
}

/**
 * The training of a network by gradient descent, an epoch at a time, so that it can be saved between two epochs and go on from
 * there exactly.
 */
export class NetworkTraining<Model> implements Epochs<StepReport> {
  readonly #training: TrainingOf<Model>;
  readonly #optimizer: optim.Optimizer;
  readonly #rate: optim.Schedule;
  readonly #stepsPerEpoch: number;
  /** Once the training has begun to average; from the beginning where the settings have a decay rate. */
  #averaged: AveragedWeights | undefined;
  /** Where the best weights are kept. */
  readonly #best: BestWeights | undefined;
  /** Whether the last epoch diverged and went back to the best weights. */
  #wentBack = false;
  /** The deciding validation measure after each epoch, where it is looked at. */
  #values: number[] = [];
  #epoch = 0;
  #lastLoss = Number.NaN;

  constructor(training: TrainingOf<Model>) {
    const { network, task, settings, seed, peers } = training;
    const { learningRate, schedule, epochs, batchSize } = settings;
    const { decay, decayEpoch = 1, decayEvery = 1 } = settings;
    this.#training = training;
    this.#stepsPerEpoch = task.batchCount('train', batchSize);
    const epochOf = (step: number) => Math.floor(step / this.#stepsPerEpoch);
    const decays = (step: number) => {
      const since = step - (decayEpoch - 1) * this.#stepsPerEpoch;
      return Math.max(0, Math.floor(since / (decayEvery * this.#stepsPerEpoch)));
    };
    this.#rate = {
      constant: () => learningRate,
      cosine: optim.cosineSchedule(learningRate, epochs * this.#stepsPerEpoch),
      poly: optim.polySchedule(learningRate, epochs * this.#stepsPerEpoch),
      exponential: (step: number) => learningRate * decay ** decays(step),
      step: (step: number) => (epochOf(step) < decayEpoch ? learningRate : learningRate * decay),
    }[schedule];
    this.#optimizer = makeOptimiser(network.parameters(), settings);
    this.#averaged = this.#runningAverage();
    this.#best = settings.keepBest ? new BestWeights(network, this.#optimizer) : undefined;
    const isAlone = peers === undefined || peers.leads;
    manualSeed(deriveSeed(seed, isAlone ? 'dropout' : `dropout of process ${peers.rank}`));
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

  /** @throws Diverged when a loss is not finite and no better weights are kept, or the epoch before went back to them */
  *trainEpoch(): Generator<StepReport, void, undefined> {
    const { network, task, settings, seed, peers } = this.#training;
    const epoch = this.#epoch + 1;
    const wentBackBefore = this.#wentBack;
    this.#wentBack = false;
    network.train();
    let sum = 0;
    let seen = 0;
    let step = 0;
    const share = peers === undefined ? {} : { share: peers.share };
    for (const batch of task.pass('train', {
      size: settings.batchSize,
      training: { seed, epoch, ...share },
    })) {
      const learningRate = this.#rate(this.#epoch * this.#stepsPerEpoch + step) * batch.length;
      this.#dropPaths(step);
      step++;
      // Each epoch cuts a text anew, so the number of steps varies a little.
      const stepsPerEpoch = Math.max(step, this.#stepsPerEpoch);
      const { loss, count } = this.#step(batch, learningRate);
      if (!Number.isFinite(loss)) {
        const diverged = `diverged: the loss is ${loss} in epoch ${epoch}, step ${step} of ${stepsPerEpoch}`;
        if (wentBackBefore) throw new Diverged(diverged);
        this.#goBack(new Diverged(diverged));
        break;
      }
      sum += loss * count;
      seen += count;
      yield { epoch, step, stepsPerEpoch, learningRate, loss: sum / seen };
    }
    this.#epoch = epoch;
    if (seen > 0) this.#lastLoss = sum / seen;
  }

  /** Goes on from the best weights. @throws the divergence where none are kept */
  #goBack(diverged: Diverged): void {
    if (this.#best?.value === undefined) throw diverged;
    this.#best.restore();
    // The means are as broken as the weights; averaging begins anew.
    this.#averaged?.free();
    this.#averaged = this.#runningAverage();
    this.#wentBack = true;
  }

  #runningAverage(): AveragedWeights | undefined {
    const { network, settings } = this.#training;
    const { averageDecay = 0 } = settings;
    return averageDecay === 0
      ? undefined
      : new AveragedWeights(network.parameters(), exponential(averageDecay));
  }

  /** @param step of the present epoch, counted from 0 */
  #dropPaths(step: number): void {
    const { network, settings } = this.#training;
    const { dropPath = 0, dropPathGrowsBy = 'epoch', epochs } = settings;
    if (dropPath === 0 || !('dropPathProbability' in network)) return;
    const done = this.#epoch + (dropPathGrowsBy === 'step' ? step / this.#stepsPerEpoch : 0);
    (network as DropsPaths).dropPathProbability = (dropPath * Math.min(done, epochs)) / epochs;
  }

  #step(batch: Batch<Model>, learningRate: number): { readonly loss: number; readonly count: number } {
    const { settings } = this.#training;
    this.#optimizer.learningRate = learningRate;
    return scope(() => {
      const done = this.#backward(batch);
      if (settings.clip > 0) optim.clipGradientNorm(this.#optimizer.parameters, settings.clip);
      this.#optimizer.step();
      this.#averaged?.update();
      return { loss: done.loss(), count: done.count };
    });
  }

  /** The gradients of a batch; its loss is read once the step is made. */
  #backward(batch: Batch<Model>): { readonly loss: () => number; readonly count: number } {
    const { network, peers } = this.#training;
    const { parameters } = this.#optimizer;
    const zeroGrad = () => this.#optimizer.zeroGrad();
    if (peers !== undefined) {
      const whole = peers.whole(batch);
      const loss = peers.within(() => {
        const { loss, total } = whole.trainingLoss(network);
        zeroGrad();
        backward(total);
        return loss;
      });
      peers.sum(parameters.flatMap(({ grad }) => grad ?? []));
      return { loss: () => loss.item(), count: whole.count };
    }
    const { loss, total } = batch.trainingLoss(network);
    zeroGrad();
    backward(total);
    return { loss: () => loss.item(), count: batch.count };
  }

  endEpoch(): Readonly<Record<string, Json>> {
    const { nonMonotone = 0 } = this.#training.settings;
    if (nonMonotone === 0 && this.#best === undefined) return {};
    const measures = this.#validate();
    if (nonMonotone > 0) this.#beginToAverage(nonMonotone, measures);
    const { name } = this.#training.task.measures[0];
    this.#values.push(measures[name] as number);
    return {
      measures,
      averaged: this.#averaged !== undefined,
      ...(this.#wentBack ? { wentBack: true } : {}),
    };
  }

  /** Validates the averaged weights, once there are some, and keeps the best. */
  #validate(): Measures {
    const { network, task } = this.#training;
    const [objective] = task.measures;
    network.eval();
    const validate = () => {
      const measures = this.#measures();
      const value = measures[objective.name] as number;
      const best = this.#best?.value;
      if (best === undefined || isBetter(objective, value, best)) this.#best?.keep(value);
      return measures;
    };
    try {
      return this.withAverage(validate);
    } catch (error) {
      // The last step may have broken the weights unseen.
      if (!(error instanceof Diverged) || this.#wentBack) throw error;
      this.#goBack(error);
      return validate();
    }
  }

  /** Runs `body` with the averaged weights in place, where there are some. */
  withAverage<T>(body: () => T): T {
    return this.#averaged === undefined ? body() : this.#averaged.within(body);
  }

  /** The validation measures. Where several processes train, the first one makes them for all. */
  #measures(): Measures {
    const { network, task, settings, peers } = this.#training;
    const measure = () => evaluate<Model>(task, network, 'validation', { size: settings.batchSize });
    if (peers === undefined) return measure();
    const made = peers.tell(peers.leads ? attempted(measure) : undefined) as Made;
    if ('diverged' in made) throw new Diverged(made.diverged);
    return made.measures;
  }

  #beginToAverage(nonMonotone: number, measures: Measures): void {
    const { network, task } = this.#training;
    const [objective] = task.measures;
    const value = measures[objective.name] as number;
    const before = this.#values.slice(0, Math.max(0, this.#values.length - nonMonotone));
    const stagnates = before.some((earlier) => isBetter(objective, earlier, value));
    if (stagnates) this.#averaged ??= new AveragedWeights(network.parameters());
  }

  /** Puts the best weights in place where they are kept; otherwise the averaged ones, if the training averages. */
  finish(): void {
    if (this.#best?.value === undefined) this.#averaged?.replace();
    else this.#best.restoreNetwork();
  }

  memory(): readonly MemoryInUse[] {
    return [memoryInUse(this.#training.settings.device ?? 'cpu')];
  }

  stateDict(): Map<string, Tensor> {
    return new Map([
      ...prefixed('network.', this.#training.network.stateDict()),
      ...prefixed('optimizer.', this.#optimizer.stateDict()),
      ...prefixed('averaged.', this.#averaged?.stateDict() ?? new Map()),
      ...prefixed('best.', this.#best?.stateDict() ?? new Map()),
      ...this.#generators(),
    ]);
  }

  /** Of all processes. */
  #generators(): Map<string, Tensor> {
    const { settings, peers } = this.#training;
    const own = generatorStates(settings.device ?? 'cpu');
    return peers === undefined ? own : peers.gather(own);
  }

  stateJson(): Json {
    return { values: this.#values, best: this.#best?.value ?? null, wentBack: this.#wentBack };
  }

  loadState(state: ReadonlyMap<string, Tensor>, json: Json, epoch: number, loss: number): void {
    const { settings, peers } = this.#training;
    const device = settings.device ?? 'cpu';
    const generators = savedGenerators(state, device);
    this.#training.network.loadStateDict(withPrefix('network.', state));
    this.#optimizer.loadStateDict(withPrefix('optimizer.', state));
    const { values, best, wentBack } = savedJson.parse(json);
    this.#values = [...values];
    this.#wentBack = wentBack;
    if (best !== null) this.#best?.loadStateDict(withPrefix('best.', state), best);
    const averaged = withPrefix('averaged.', state);
    if (averaged.size > 0) {
      this.#averaged ??= new AveragedWeights(this.#training.network.parameters());
      this.#averaged.loadStateDict(averaged);
    }
    setGenerators(peers === undefined ? generators : peers.ownRows(generators), device);
    this.#epoch = epoch;
    this.#lastLoss = loss;
  }

  /** Frees the state of the optimiser; the network is the caller's. */
  free(): void {
    this.#optimizer.free();
    this.#averaged?.free();
    this.#best?.free();
  }
}

type Made = { readonly measures: Measures } | { readonly diverged: string };

/** A divergence is no error of this process alone: all of them have the same network. */
function attempted(measure: () => Measures): Made {
  try {
    return { measures: measure() };
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    return { diverged: error.message };
  }
}

const savedJson = z.object({
  values: z.array(z.number()),
  best: z.number().nullable(),
  wentBack: z.boolean(),
});
