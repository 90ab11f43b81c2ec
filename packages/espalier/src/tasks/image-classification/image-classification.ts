import { autocast, fromTypedArray, type Tensor } from '@espalier/torch';
import type { Augmentation } from '../../data/augmentation.js';
import { batches, type Batch as ImageBatch } from '../../data/batches.js';
import type { ImageSet } from '../../data/image-dataset.js';
import type { Json } from '../../json.js';
import { type Accumulator, Means, type Sums } from '../../measures/accumulator.js';
import { accuracy } from '../../measures/accuracy.js';
import { Confusion } from '../../measures/confusion.js';
import { loss } from '../../measures/loss.js';
import type { Measures, Objectives } from '../../measures/measure.js';
import type { Batch, Part, PassOptions, Task } from '../task.js';
import type { OpenedImages } from './open-images.js';

/** A classifier is judged by its accuracy. */
export const classifierMeasures: Objectives = [accuracy, loss];

/** [N, channels, height, width] to the logits [N, classes]; with an auxiliary head, in training, to both. */
export interface ImageModel {
  forward(images: Tensor): Tensor;
  forwardWithAuxiliary?(images: Tensor): { readonly logits: Tensor; readonly auxiliary?: Tensor };
}

/** How images are trained on, besides the optimiser. */
export interface ImageLoss {
  /** Whether training images are cropped and mirrored as their kind of data allows. */
  readonly augment: boolean;
  /** Side of the square that is cut out of a training image, in pixels; 0 cuts none. */
  readonly cutout: number;
  /** How far brightness, contrast and saturation of training images change, and half as far the hue. 0 by default. */
  readonly colourJitter?: number;
  /** Weight of the loss of an auxiliary head. 0 by default. */
  readonly auxiliaryWeight?: number;
  /** Share of the target that is spread evenly over all classes (Szegedy et al. 2016). 0 by default. */
  readonly labelSmoothing?: number;
  readonly device: string;
  /** Of convolutions and products in training; float32 by default. The loss is in float32. */
  readonly precision?: 'float32' | 'bfloat16';
}

/** What a batch adds: how many are right, and which class each image was taken for. */
interface ClassifierTally extends Sums {
  readonly actual: readonly number[];
  readonly predicted: readonly number[];
}

/** Accuracy and loss, and which classes are taken for which. */
class ClassifierMeasures implements Accumulator<ClassifierTally> {
  readonly #means = new Means();
  readonly #confusion = new Confusion();

  add(tally: ClassifierTally): void {
    this.#means.add(tally);
    for (const [index, actual] of tally.actual.entries())
      this.#confusion.add(actual, tally.predicted[index] as number);
  }

  measures(): Measures {
    return this.#means.measures();
  }

  details(): Readonly<Record<string, Json>> {
    return { confusion: this.#confusion.counts().map((count) => [...count]) };
  }
}

/** Cross entropy on images, judged by the share of those whose class gets the highest logit. */
export class ImageClassification implements Task<ImageModel, ClassifierTally> {
  readonly measures = classifierMeasures;
  readonly timeSteps = 1;
  readonly independentBatches = true;
  readonly shares = true;
  readonly #augmentation: Augmentation;

  constructor(
    private readonly data: Pick<
      OpenedImages,
      'train' | 'validation' | 'test' | 'statistics' | 'augmentation'
    >,
    private readonly options: ImageLoss,
  ) {
    const { augment, cutout, colourJitter: strength = 0 } = options;
    this.#augmentation = {
      ...(augment ? data.augmentation : {}),
      ...(strength > 0 ? { colour: { strength, hue: Math.min(1, strength) / 2 } } : {}),
      ...(cutout > 0 ? { cutout } : {}),
    };
  }

  count(part: Part): number {
    return this.data[part].count;
  }

  batchCount(part: Part, size: number): number {
    return Math.ceil(this.data[part].count / size);
  }

  *pass(
    part: Part,
    { size, training }: PassOptions,
  ): Generator<Batch<ImageModel, ClassifierTally>, void, undefined> {
    const set = this.data[part];
    const { statistics } = this.data;
    const passed = batches(set, {
      size,
      statistics,
      ...(training === undefined ? {} : { training: { ...training, augmentation: this.#augmentation } }),
    });
    for (const batch of passed) yield this.#batch(batch, set);
  }

  accumulator(): ClassifierMeasures {
    return new ClassifierMeasures();
  }

  #batch(batch: ImageBatch, set: ImageSet): Batch<ImageModel, ClassifierTally> {
    const { auxiliaryWeight = 0, labelSmoothing = 0, device, precision = 'float32' } = this.options;
    const lossOf = (logits: Tensor, labels: Tensor) =>
      logits.crossEntropyLoss(labels, undefined, undefined, undefined, labelSmoothing);
    return {
      count: batch.count,
      length: 1,
      loss: (model) => {
        const { images, labels } = tensorsOf(batch, set, device);
        return lossOf(model.forward(images), labels);
      },
      trainingLoss: (model) => {
        const { images, labels } = tensorsOf(batch, set, device);
        const made: ReturnType<NonNullable<ImageModel['forwardWithAuxiliary']>> = autocast(
          precision,
          () =>
            model.forwardWithAuxiliary === undefined || auxiliaryWeight === 0
              ? { logits: model.forward(images) }
              : model.forwardWithAuxiliary(images),
          device,
        );
        const trainingLossOf = (logits: Tensor) =>
          lossOf(logits.dtype === 'bfloat16' ? logits.to({ dtype: 'float32' }) : logits, labels);
        const loss = trainingLossOf(made.logits);
        const total =
          made.auxiliary === undefined
            ? loss
            : loss.add(trainingLossOf(made.auxiliary), { alpha: auxiliaryWeight });
        return { loss, total };
      },
      tally: (model) => {
        const { images, labels } = tensorsOf(batch, set, device);
        const logits = model.forward(images);
        const actual = Array.from(batch.labels.subarray(0, batch.count), Number);
        const predicted = logits.argmax(1).toNumbers();
        return {
          finite: logits.isfinite().all().item() !== 0,
          count: batch.count,
          actual,
          predicted,
          sums: {
            accuracy: actual.filter((label, index) => label === predicted[index]).length,
            loss: logits.crossEntropyLoss(labels).item() * batch.count,
          },
        };
      },
    };
  }
}

/** A batch as libtorch reads it fastest: [N, channels, height, width], channels last in memory. */
function tensorsOf(
  batch: ImageBatch,
  { height, width, channels }: ImageSet,
  device: string,
): { images: Tensor; labels: Tensor } {
  const images = fromTypedArray(batch.images, [batch.count, height, width, channels]).permute([0, 3, 1, 2]);
  const labels = fromTypedArray(batch.labels, [batch.count]);
  return device === 'cpu'
    ? { images, labels }
    : { images: images.to({ device }), labels: labels.to({ device }) };
}
