import { noGrad, scope, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { Measure } from './measure.js';

/** A part of the data: what weights learn from, what decides, and what is looked at when everything is decided. */
export type Part = 'train' | 'validation' | 'test';

/**
 * A step's worth of data. A batch can be asked more than once, by several models, until the next one is taken.
 *
 * @typeParam Model how a network is called: a network, or a supernet as one of its architectures
 */
export interface Batch<Model> {
  /** Images or tokens. */
  readonly count: number;
  /** Its length in terms of a usual one; the learning rate of the weights is multiplied by it. */
  readonly length: number;
  /** The mean loss over them, a scalar to differentiate. */
  loss(model: Model): Tensor;
  /** The same, and what is differentiated to train the weights: with what only training adds to it. */
  trainingLoss(model: Model): { readonly loss: Tensor; readonly total: Tensor };
  /** What the measure is the mean of, summed up over the batch; the logits or log-probabilities that it is read off. */
  tally(model: Model): { readonly sum: number; readonly finite: boolean };
}

export interface PassOptions {
  /** Images, or texts side by side, in a batch. */
  readonly size: number;
  /** Shuffles and augments images; without it they come in order and as they are. */
  readonly training?: { readonly seed: number; readonly epoch: number };
}

/** Data with a loss and a measure: all that a search or a training asks of images or of a text. */
export interface Task<Model> {
  readonly reads: 'images' | 'tokens';
  readonly measure: Measure;
  /** How many images or tokens a part has. */
  count(part: Part): number;
  /** Tokens one after the other that a batch has of each text; 1 for images. */
  readonly timeSteps: number;
  /** How many batches a pass over a part has. */
  batchCount(part: Part, size: number): number;
  /** One pass over a part. @throws InputError for a part that is too small for a batch */
  pass(part: Part, options: PassOptions): Iterable<Batch<Model>>;
  /** The measure from the mean of what `tally` sums up. */
  measureOf(mean: number): number;
  /** SHA-256 of the data. */
  checksum(): string;
}

/** A loss or a logit that is no number any more: the training cannot go on. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
}

/**
 * The measure of a model, which is in evaluation already, on a part of the data.
 *
 * @throws Diverged where a logit is not finite: the last step may have made weights of which no loss was seen
 */
export function evaluate<Model>(
  task: Task<Model>,
  model: Model,
  part: Part,
  { size }: { readonly size: number },
): number {
  let sum = 0;
  let count = 0;
  for (const batch of task.pass(part, { size })) {
    const tally = scope(() => noGrad(() => batch.tally(model)));
    if (!tally.finite) throw new Diverged('diverged: the network gives logits that are not finite');
    sum += tally.sum;
    count += batch.count;
  }
  if (count === 0) throw new InputError(`the ${part} data has no batch of ${size}`);
  return task.measureOf(sum / count);
}

/** Passes over a part without an end, each shuffled anew: what the steps of another part are paired with. */
export function* endless<Model>(
  task: Task<Model>,
  part: Part,
  { size, seed, epoch }: { readonly size: number; readonly seed: number; readonly epoch: number },
): Generator<Batch<Model>, never, undefined> {
  // Passes of one epoch never count so far: an epoch of the training data has as many steps.
  for (let pass = 0; ; pass++)
    yield* task.pass(part, { size, training: { seed, epoch: epoch * 1_000_000 + pass } });
}
