import { basename, extname } from 'node:path';
import { fromTypedArray, noGrad, scope, type Tensor } from '@espalier/torch';
import { IGNORED } from '../../data/mask-file.js';
import { type MaskedBatch, maskedBatches } from '../../data/masked-batches.js';
import { chosenPairs } from '../../data/masked-split.js';
import type { PairAugmentation } from '../../data/shown-pair.js';
import { InputError } from '../../input-error.js';
import type { Json } from '../../json.js';
import type { Accumulator, Tally } from '../../measures/accumulator.js';
import { Confusion, intersectionsOverUnions } from '../../measures/confusion.js';
import { loss } from '../../measures/loss.js';
import type { Measures, Objectives } from '../../measures/measure.js';
import { miou } from '../../measures/miou.js';
import { pixelAccuracy } from '../../measures/pixel-accuracy.js';
import type { Batch, Part, PassOptions, Sample, Task } from '../task.js';
import { colouredMask } from './mask-pictures.js';
import type { OpenedMasks } from './open-masks.js';
import { ONE_VIEW, type SegmentationModel, segment, type Views } from './segment.js';
import { beyond, standardised } from './standardised.js';

/** A segmenter is judged by the mean intersection over union. */
export const segmenterMeasures: Objectives = [miou, pixelAccuracy, loss];

/** How images with masks are trained on, besides the optimiser. */
export interface SegmentationLoss {
  /** Whether training images are enlarged by a random factor and mirrored. */
  readonly augment: boolean;
  /** The range of the factor. */
  readonly leastScale: number;
  readonly mostScale: number;
  /** A weight for each class; of no class: all alike. */
  readonly classWeights: readonly number[];
  /** How images are evaluated; one pass over the whole image by default, as in searches. */
  readonly evalScales?: readonly number[];
  readonly evalFlip?: boolean;
  readonly evalTile?: number;
  readonly device: string;
}

/** Images whose predictions are shown. */
const SAMPLES = 4;

/** What a batch adds: which class each labelled pixel was taken for. */
interface SegmenterTally extends Tally {
  /** [classes, classes], by the true class and the one with the highest logit. */
  readonly counts: Float64Array;
  /** The sum of the losses of all labelled pixels. */
  readonly loss: number;
}

/** Measures over all pixels of a part. */
class SegmenterMeasures implements Accumulator<SegmenterTally> {
  readonly #counts: Float64Array;
  #loss = 0;

  constructor(private readonly classes: number) {
    this.#counts = new Float64Array(classes * classes);
  }

  add({ counts, loss }: SegmenterTally): void {
    for (const [place, count] of counts.entries()) this.#counts[place]! += count;
    this.#loss += loss;
  }

  measures(): Measures {
    const pixels = this.#counts.reduce((sum, count) => sum + count, 0);
    if (pixels === 0) throw new InputError('no pixel of the masks has a class, so nothing can be measured');
    let right = 0;
    for (let label = 0; label < this.classes; label++) right += this.#counts[label * (this.classes + 1)]!;
    const found = this.#unions().filter((value) => value !== undefined);
    return {
      miou: found.reduce((sum, value) => sum + value, 0) / found.length,
      pixelAccuracy: right / pixels,
      loss: this.#loss / pixels,
    };
  }

  /** `iou` is a value by class, null for one that neither occurs nor is predicted. */
  details(): Readonly<Record<string, Json>> {
    return {
      confusion: this.#confusion().map((count) => [...count]),
      iou: this.#unions().map((value) => value ?? null),
    };
  }

  #confusion() {
    const confusion = new Confusion();
    for (const [place, count] of this.#counts.entries())
      if (count > 0) confusion.add(Math.floor(place / this.classes), place % this.classes, count);
    return confusion.counts();
  }

  #unions() {
    return intersectionsOverUnions(this.#confusion(), this.classes);
  }
}

/** Cross entropy of pixels, judged by the mean intersection over union. Pixels without a class count nowhere. */
export class SemanticSegmentation implements Task<SegmentationModel, SegmenterTally> {
  readonly measures = segmenterMeasures;
  readonly timeSteps = 1;
  readonly independentBatches = true;
  readonly shares = true;
  readonly #augmentation: PairAugmentation;
  readonly #views: Views;

  /** @throws InputError for weights of another number of classes, and for a range of factors that is none */
  constructor(
    private readonly data: Pick<
      OpenedMasks,
      'train' | 'validation' | 'test' | 'classes' | 'crop' | 'statistics'
    >,
    private readonly options: SegmentationLoss,
  ) {
    const { augment, leastScale, mostScale, classWeights } = options;
    if (leastScale > mostScale)
      throw new InputError(`leastScale ${leastScale}: allowed: mostScale, ${mostScale}, and below`);
    const classes = data.classes.length;
    if (classWeights.length !== 0 && classWeights.length !== classes)
      throw new InputError(
        `classWeights: ${classWeights.length} numbers; the data has ${classes} classes, a number each`,
      );
    const { evalScales = ONE_VIEW.scales, evalFlip = false, evalTile = 0 } = options;
    this.#views = { scales: evalScales, flip: evalFlip, tile: evalTile };
    this.#augmentation = augment ? { scale: { least: leastScale, most: mostScale }, flip: true } : {};
  }

  count(part: Part): number {
    return this.data[part].count;
  }

  batchCount(part: Part, size: number): number {
    return Math.ceil(trainedOn(this.data[part].count, size) / size);
  }

  *pass(
    part: Part,
    { size, training }: PassOptions,
  ): Generator<Batch<SegmentationModel, SegmenterTally>, void, undefined> {
    const { crop, statistics } = this.data;
    const passed = maskedBatches(this.data[part], {
      size,
      crop,
      beyond: beyond(statistics),
      ...(training === undefined
        ? {}
        : {
            training: {
              ...training,
              augmentation: this.#augmentation,
              count: trainedOn(this.count(part), size),
            },
          }),
    });
    for (const batch of passed) yield this.#batch(batch);
  }

  /** Images of a part, spread over it, beside their masks and the predicted ones, in the colours of the classes. */
  samples(model: SegmentationModel, part: Part): Sample[] {
    const set = this.data[part];
    const count = Math.min(SAMPLES, set.count);
    const chosen = chosenPairs(
      set,
      Array.from({ length: count }, (_, index) => Math.floor(((index + 0.5) * set.count) / count)),
    );
    const { crop, statistics, classes } = this.data;
    const samples: Sample[] = [];
    for (const batch of maskedBatches(chosen, { size: 1, crop, beyond: beyond(statistics) })) {
      const predicted = scope(() =>
        noGrad(() => labelsOf(segment(model, this.#tensors(batch).images, this.#views))),
      );
      const { height, width, pixels, labels } = batch;
      const picture = (title: string, data: Uint8Array) => ({ title, width, height, data });
      samples.push({
        name: stemOf(chosen.images[samples.length] as string),
        pictures: [
          picture('image', pixels),
          picture('truth', colouredMask(labels, classes)),
          picture('prediction', colouredMask(predicted, classes)),
        ],
      });
    }
    return samples;
  }

  accumulator(): SegmenterMeasures {
    return new SegmenterMeasures(this.data.classes.length);
  }

  #batch(batch: MaskedBatch): Batch<SegmentationModel, SegmenterTally> {
    const mean = (model: SegmentationModel) => {
      const { images, labels, weights } = this.#tensors(batch);
      const sum = lossSum(model.forward(images), labels, weights);
      // Crops may have nothing but void: their loss is 0.
      return sum.div(this.#weightOf(batch) || 1);
    };
    return {
      count: batch.count,
      length: 1,
      weight: this.#weightOf(batch),
      loss: mean,
      trainingLoss: (model) => {
        const loss = mean(model);
        return { loss, total: loss };
      },
      tally: (model) => this.#tally(model, batch),
    };
  }

  #tally(model: SegmentationModel, batch: MaskedBatch): SegmenterTally {
    const { images, labels } = this.#tensors(batch);
    const logits = segment(model, images, this.#views);
    const classes = this.data.classes.length;
    const predicted = labelsOf(logits);
    const counts = new Float64Array(classes * classes);
    const { labels: actual } = batch;
    // There are millions of pixels: an iterator of pairs would take longer than the network.
    for (let pixel = 0; pixel < actual.length; pixel++) {
      const label = actual[pixel]!;
      if (label !== IGNORED) counts[label * classes + predicted[pixel]!]!++;
    }
    return {
      finite: logits.isfinite().all().item() !== 0,
      counts,
      loss: lossSum(logits, labels).item(),
    };
  }

  /** The weights of all labelled pixels: how many there are, where all classes weigh alike. */
  #weightOf({ labels }: MaskedBatch): number {
    const { classWeights } = this.options;
    let sum = 0;
    for (const label of labels) if (label !== IGNORED) sum += classWeights[label] ?? 1;
    return sum;
  }

  #tensors(batch: MaskedBatch): { images: Tensor; labels: Tensor; weights?: Tensor } {
    const { count, height, width, pixels, labels } = batch;
    const { device, classWeights } = this.options;
    const given = { device, dtype: 'int64' } as const;
    return {
      images: standardised(pixels, [count, height, width], this.data.statistics, device),
      labels: fromTypedArray(labels, [count, height, width]).to(given),
      ...(classWeights.length === 0
        ? {}
        : { weights: fromTypedArray(Float32Array.from(classWeights), [classWeights.length]).to({ device }) }),
    };
  }
}

/**
 * How many images a training pass goes over. A last batch of a single image is left out: batch norm after image pooling has
 * one value a channel then, which it cannot normalise.
 */
function trainedOn(count: number, size: number): number {
  return size > 1 && count > size && count % size === 1 ? count - 1 : count;
}

/** The class with the highest logit: [N, height, width] from [N, classes, height, width]. */
export function labelsOf(logits: Tensor): Uint8Array {
  return logits.argmax(1).to({ dtype: 'uint8' }).contiguous().toTypedArray() as Uint8Array;
}

/** The name of an image, without its folder and its ending. */
function stemOf(file: string): string {
  return basename(file, extname(file));
}

/** Of ATen's reductions of a loss. */
const SUM = 2;

function lossSum(logits: Tensor, labels: Tensor, weights?: Tensor): Tensor {
  return logits.crossEntropyLoss(labels, weights, SUM, IGNORED);
}
