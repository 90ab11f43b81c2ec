import { noGrad, scope, type Tensor } from '@espalier/torch';
import type { DecodedImage } from '../data/decoded-image.js';
import type { Share } from '../data/share.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { Accumulator, Tally } from '../measures/accumulator.js';
import type { Measures, Objectives } from '../measures/measure.js';

/** A part of the data: weights learn from the first, decisions are made on the second, and the third is looked at last. */
export type Part = 'train' | 'validation' | 'test';

/**
 * The data of one step. Several models may read a batch, and each more than once, until the next batch is taken.
 *
 * @typeParam Model how a network is called: a network, or a supernet as one of its architectures
 */
export interface Batch<Model, T extends Tally = Tally> {
  /** Inputs that the loss is the mean over: images, tokens, rows. */
  readonly count: number;
  /** Its length relative to a usual batch. The learning rate of the weights is multiplied by it. */
  readonly length: number;
  /** What the mean losses of the parts of a batch are weighted by; `count` where it is missing. */
  readonly weight?: number;
  /** The mean loss, a scalar to differentiate. */
  loss(model: Model): Tensor;
  /** The mean loss, and the scalar that training differentiates: the loss with what only training adds to it. */
  trainingLoss(model: Model): { readonly loss: Tensor; readonly total: Tensor };
  /** What the batch adds to the measures of a model in evaluation. */
  tally(model: Model): T;
}

export interface PassOptions {
  /** Inputs in a batch: images, or columns of a text side by side. */
  readonly size: number;
  /** Shuffles and augments. Without it the inputs come in order and unchanged. */
  readonly training?: {
    readonly seed: number;
    readonly epoch: number;
    /**
     * Which part of each batch this process reads, where several read them together. The parts have the inputs that the
     * whole batch would have, changed in the same way.
     */
    readonly share?: Share;
  };
}

/** Data with a loss and measures: all that a search or a training asks of a data set, whatever it holds. */
export interface Task<Model, T extends Tally = Tally> {
  /** What the networks are judged by. The first measure decides. */
  readonly measures: Objectives;
  /** Inputs of a part. */
  count(part: Part): number;
  /** Time steps of a batch; 1 where inputs are no sequences. */
  readonly timeSteps: number;
  /** Whether a model may read the batches of a pass in any order: false where it carries a state from one to the next. */
  readonly independentBatches: boolean;
  /** Whether a pass can give a process its `share`, so that several can train one network. */
  readonly shares?: boolean;
  /**
   * Batches of a training pass over a part. Where a pass draws the lengths of its batches, as that over a text does, it may
   * have a few more or fewer.
   */
  batchCount(part: Part, size: number): number;
  /** One pass over a part. @throws InputError for a part that is too small for a batch */
  pass(part: Part, options: PassOptions): Iterable<Batch<Model, T>>;
  /** Collects the tallies of a pass. */
  accumulator(): Accumulator<T>;
  /** Pictures of what a model, in evaluation mode, makes of a few inputs of a part. Missing: the task has none. */
  samples?(model: Model, part: Part): readonly Sample[];
}

/** An input and what a model makes of it, as pictures side by side. */
export interface Sample {
  readonly name: string;
  /** All of one size. */
  readonly pictures: readonly (DecodedImage & { readonly title: string })[];
}

/** A loss or an output is not finite any more, so the training cannot go on. */
export class Diverged extends Error {
  override readonly name = 'Diverged';
}

/** What a model came to on a part of the data. */
export interface Evaluation {
  readonly measures: Measures;
  /** See `Accumulator.details`; missing where the task counts nothing else. */
  readonly details?: Readonly<Record<string, Json>>;
}

/**
 * The measures of a model, which is in evaluation mode already, on a part of the data.
 *
 * @throws Diverged where an output or a measure is not finite: the last step may have broken the weights unseen
 */
export function evaluate<Model>(
  task: Task<Model>,
  model: Model,
  part: Part,
  options: { readonly size: number },
): Measures {
  return evaluateInDetail(task, model, part, options).measures;
}

/** The same, with all that the task counts. @throws Diverged as `evaluate` */
export function evaluateInDetail<Model>(
  task: Task<Model>,
  model: Model,
  part: Part,
  { size }: { readonly size: number },
): Evaluation {
  const accumulator = task.accumulator();
  let count = 0;
  for (const batch of task.pass(part, { size })) {
    const tally = scope(() => noGrad(() => batch.tally(model)));
    if (!tally.finite) throw new Diverged('diverged: the network gives outputs that are not finite');
    accumulator.add(tally);
    count += batch.count;
  }
  if (count === 0) throw new InputError(`the ${part} data has no batch of ${size}`);
  const measures = accumulator.measures();
  // The exponential of a finite loss may overflow.
  for (const [name, value] of Object.entries(measures))
    if (!Number.isFinite(value)) throw new Diverged(`diverged: the ${part} ${name} is ${value}`);
  const details = accumulator.details?.();
  return { measures, ...(details === undefined ? {} : { details }) };
}

/** Passes over a part without end, each shuffled anew, to pair with the steps of another part. */
export function* endless<Model>(
  task: Task<Model>,
  part: Part,
  { size, epoch, ...more }: { readonly size: number } & NonNullable<PassOptions['training']>,
): Generator<Batch<Model>, never, undefined> {
  // An epoch of the training data has far fewer steps than the validation data would need for a million passes.
  for (let pass = 0; ; pass++)
    yield* task.pass(part, { size, training: { ...more, epoch: epoch * 1_000_000 + pass } });
}
