import { autocast, fromTypedArray, type Tensor } from '@espalier/torch';
import type { Augmentation } from '../../data/augmentation.js';
import { batches, type Batch as ImageBatch } from '../../data/batches.js';
import type { ImageSet } from '../../data/image-dataset.js';
import { Means, type Sums } from '../../measures/accumulator.js';
import { accuracy } from '../../measures/accuracy.js';
import { loss } from '../../measures/loss.js';
import type { Objectives } from '../../measures/measure.js';
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

/** Cross entropy on images, judged by the share of those whose class gets the highest logit. */
export class ImageClassification implements Task<ImageModel, Sums> {
  readonly measures = classifierMeasures;
  readonly timeSteps = 1;
  readonly independentBatches = true;
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

  *pass(part: Part, { size, training }: PassOptions): Generator<Batch<ImageModel, Sums>, void, undefined> {
    const set = this.data[part];
    const { statistics } = this.data;
    const passed = batches(set, {
      size,
      statistics,
      ...(training === undefined ? {} : { training: { ...training, augmentation: this.#augmentation } }),
    });
    for (const batch of passed) yield this.#batch(batch, set);
  }

  accumulator(): Means {
    return new Means();
  }

  #batch(batch: ImageBatch, set: ImageSet): Batch<ImageModel, Sums> {
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
        const made: ReturnType<NonNullable<ImageModel['forwardWithAuxiliary']>> = autocast(precision, () =>
          model.forwardWithAuxiliary === undefined || auxiliaryWeight === 0
            ? { logits: model.forward(images) }
            : model.forwardWithAuxiliary(images),
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
        return {
          finite: logits.isfinite().all().item() !== 0,
          count: batch.count,
          sums: {
            accuracy: logits.argmax(1).eq(labels).sum().item(),
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
