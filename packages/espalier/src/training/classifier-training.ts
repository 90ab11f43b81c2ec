import {
  backward,
  fromTypedArray,
  generatorState,
  manualSeed,
  noGrad,
  optim,
  scope,
  setGeneratorState,
  type Tensor,
} from '@espalier/torch';
import type { Augmentation } from '../data/augmentation.js';
import { type Batch, batches } from '../data/batches.js';
import type { ImageSet } from '../data/image-dataset.js';
import type { ChannelStatistics } from '../data/statistics.js';
import type { Network } from '../networks/network.js';
import { deriveSeed } from '../random/random.js';
import type { TrainingSettings } from './training-settings.js';

/** A loss that is no number any more: the training cannot go on. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
}

interface TrainingTask {
  readonly network: Network;
  readonly train: ImageSet;
  readonly statistics: ChannelStatistics;
  readonly augmentation: Augmentation;
  readonly settings: TrainingSettings;
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
  /** The mean over the images of the epoch so far. */
  readonly loss: number;
}

/**
 * The training of a classifier of images: stochastic gradient descent with Nesterov momentum on the cross entropy.
 * An epoch at a time, so that it can be saved in between and gone on with exactly.
 */
export class ClassifierTraining {
  readonly #task: TrainingTask;
  readonly #optimizer: optim.SGD;
  readonly #rate: optim.Schedule;
  readonly #stepsPerEpoch: number;
  #epoch = 0;
  #lastLoss = Number.NaN;

  constructor(task: TrainingTask) {
    const { network, train, settings, seed } = task;
    const { learningRate, momentum, weightDecay, schedule, epochs, batchSize } = settings;
    this.#task = task;
    this.#stepsPerEpoch = Math.ceil(train.count / batchSize);
    this.#rate =
      schedule === 'cosine'
        ? optim.cosineSchedule(learningRate, epochs * this.#stepsPerEpoch)
        : () => learningRate;
    this.#optimizer = new optim.SGD(network.parameters(), {
      learningRate,
      momentum,
      nesterov: momentum > 0,
      weightDecay,
    });
    manualSeed(deriveSeed(seed, 'dropout'));
  }

  /** Epochs that are done. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The mean loss of the last epoch done; NaN before the first. */
  get lastLoss(): number {
    return this.#lastLoss;
  }

  /**
   * Trains one epoch; a step is made each time the caller asks for the next report.
   *
   * @throws Diverged when a loss is not finite
   */
  *trainEpoch(): Generator<StepReport, void, undefined> {
    const { network, train, statistics, augmentation, settings, seed } = this.#task;
    const epoch = this.#epoch + 1;
    const stepsPerEpoch = this.#stepsPerEpoch;
    const training = { seed, epoch, augmentation: settings.augment ? augmentation : {} };
    network.train();
    let sum = 0;
    let seen = 0;
    let step = 0;
    for (const batch of batches(train, { size: settings.batchSize, statistics, training })) {
      const learningRate = this.#rate(this.#epoch * stepsPerEpoch + step);
      step++;
      const loss = this.#step(batch, learningRate);
      if (!Number.isFinite(loss))
        throw new Diverged(
          `diverged: the loss is ${loss} in epoch ${epoch}, step ${step} of ${stepsPerEpoch}`,
        );
      sum += loss * batch.count;
      seen += batch.count;
      if (step === stepsPerEpoch) {
        this.#epoch = epoch;
        this.#lastLoss = sum / seen;
      }
      yield { epoch, step, stepsPerEpoch, learningRate, loss: sum / seen };
    }
  }

  #step(batch: Batch, learningRate: number): number {
    const { network, train, settings } = this.#task;
    this.#optimizer.learningRate = learningRate;
    return scope(() => {
      const { images, labels } = tensorsOf(batch, train, settings.device);
      const loss = network.forward(images).crossEntropyLoss(labels);
      this.#optimizer.zeroGrad();
      backward(loss);
      this.#optimizer.step();
      return loss.item();
    });
  }

  /** Network, optimiser and random generator after an epoch: all that the next one depends on. */
  stateDict(): Map<string, Tensor> {
    const generator = generatorState();
    return new Map([
      ...prefixed('network.', this.#task.network.stateDict()),
      ...prefixed('optimizer.', this.#optimizer.stateDict()),
      ['generator', fromTypedArray(generator, [generator.length])],
    ]);
  }

  /** Goes on after `epoch`. @throws Error where the state is not of this network */
  loadStateDict(state: ReadonlyMap<string, Tensor>, epoch: number, loss: number): void {
    const generator = state.get('generator');
    if (generator === undefined) throw new Error("the state has no 'generator'");
    this.#task.network.loadStateDict(withPrefix('network.', state));
    this.#optimizer.loadStateDict(withPrefix('optimizer.', state));
    setGeneratorState(generator.toTypedArray() as Uint8Array);
    this.#epoch = epoch;
    this.#lastLoss = loss;
  }

  /** Frees what the optimiser remembers; the network is the caller's. */
  free(): void {
    this.#optimizer.free();
  }
}

function* prefixed(prefix: string, tensors: ReadonlyMap<string, Tensor>): Generator<[string, Tensor]> {
  for (const [name, tensor] of tensors) yield [prefix + name, tensor];
}

function withPrefix(prefix: string, tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(
    [...tensors].flatMap(([name, tensor]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), tensor]] : [],
    ),
  );
}

/**
 * The share of a set's images whose class gets the highest logit.
 *
 * @throws Diverged where a logit is not finite: the last step may have made weights of which no loss was seen
 */
export function accuracyOn(
  network: Network,
  set: ImageSet,
  statistics: ChannelStatistics,
  { batchSize, device }: Pick<TrainingSettings, 'batchSize' | 'device'>,
): number {
  network.eval();
  let right = 0;
  for (const batch of batches(set, { size: batchSize, statistics }))
    right += scope(() =>
      noGrad(() => {
        const { images, labels } = tensorsOf(batch, set, device);
        const logits = network.forward(images);
        if (logits.isfinite().all().item() === 0)
          throw new Diverged('diverged: the network gives logits that are not finite');
        return logits.argmax(1).eq(labels).sum().item();
      }),
    );
  return right / set.count;
}

/** A batch as libtorch reads it fastest: [N, channels, height, width], channels last in memory. */
function tensorsOf(
  batch: Batch,
  { height, width, channels }: ImageSet,
  device: string,
): { images: Tensor; labels: Tensor } {
  const images = fromTypedArray(batch.images, [batch.count, height, width, channels]).permute([0, 3, 1, 2]);
  const labels = fromTypedArray(batch.labels, [batch.count]);
  return device === 'cpu'
    ? { images, labels }
    : { images: images.to({ device }), labels: labels.to({ device }) };
}
