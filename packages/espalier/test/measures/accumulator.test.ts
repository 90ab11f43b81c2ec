import { nn, setThreads, type Tensor, tensor } from '@espalier/torch';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/input-error.js';
import { type Accumulator, Means, type Tally } from '../../src/measures/accumulator.js';
import type { Measure, Measures } from '../../src/measures/measure.js';
import {
  type Batch,
  Diverged,
  evaluate,
  evaluateInDetail,
  type Part,
  type PassOptions,
  type Task,
} from '../../src/tasks/task.js';

setThreads(1);

const sums = (count: number, values: Measures) => ({ finite: true, count, sums: values });

describe('means', () => {
  it('are sums over all inputs, divided by their number, and not means of the means of batches', () => {
    const means = new Means();
    means.add(sums(3, { accuracy: 3, loss: 1.5 }));
    means.add(sums(1, { accuracy: 0, loss: 4.5 }));
    expect(means.measures()).toEqual({ accuracy: 0.75, loss: 1.5 });
  });

  it('go through the function that makes measures of them, each time they are asked for', () => {
    const means = new Means(({ loss }) => ({ perplexity: Math.exp(loss!), loss: loss! }));
    means.add(sums(2, { loss: 2 * Math.log(4) }));
    expect(means.measures()).toEqual({ perplexity: expect.closeTo(4, 12), loss: Math.log(4) });
    means.add(sums(2, { loss: 2 * Math.log(16) }));
    // The geometric mean of 4 and 16; the mean of the perplexities would be 10.
    expect(means.measures().perplexity).toBeCloseTo(8, 12);
  });

  it('do not depend on how the inputs are cut into batches', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 30 }),
        (values, sizes) => {
          const means = new Means();
          for (let from = 0, batch = 0; from < values.length; batch++) {
            const own = values.slice(from, from + sizes[batch % sizes.length]!);
            means.add(sums(own.length, { value: own.reduce((sum, value) => sum + value, 0) }));
            from += own.length;
          }
          // Whole numbers: the sums are exact in any order.
          expect(means.measures().value).toBe(values.reduce((sum, value) => sum + value, 0) / values.length);
        },
      ),
    );
  });
});

/** How often each class was taken for each: rows are the true classes, columns those that were predicted. */
interface Confusion extends Tally {
  readonly matrix: readonly (readonly number[])[];
}

/** Mean intersection over union, which is no mean over inputs or batches: the classes' unions need the whole part. */
class MeanIou implements Accumulator<Confusion> {
  readonly #matrix: number[][];

  constructor(private readonly classes: number) {
    this.#matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  }

  add({ matrix }: Confusion): void {
    for (const [truth, row] of matrix.entries())
      for (const [predicted, count] of row.entries()) this.#matrix[truth]![predicted]! += count;
  }

  measures(): Measures {
    const all = this.#matrix.flat().reduce((sum, count) => sum + count, 0);
    const right = this.#matrix.reduce((sum, row, label) => sum + row[label]!, 0);
    const ious = this.#matrix.map((row, label) => {
      const ofTruth = row.reduce((sum, count) => sum + count, 0);
      const ofPrediction = this.#matrix.reduce((sum, other) => sum + other[label]!, 0);
      return row[label]! / (ofTruth + ofPrediction - row[label]!);
    });
    return { miou: ious.reduce((sum, iou) => sum + iou, 0) / this.classes, accuracy: right / all };
  }

  details() {
    return { matrix: this.#matrix };
  }
}

const miou: Measure = { name: 'miou', better: 'higher', least: 0, most: 1 };

/** Pixels with a class each; a model says which class it takes each pixel for. */
class Segmentation implements Task<nn.Layer, Confusion> {
  readonly measures = [miou] as const;
  readonly timeSteps = 1;
  readonly independentBatches = true;

  constructor(
    private readonly pixels: readonly number[],
    private readonly labels: readonly number[],
  ) {}

  count(part: Part): number {
    return part === 'train' ? 0 : this.pixels.length;
  }

  batchCount(part: Part, size: number): number {
    return Math.ceil(this.count(part) / size);
  }

  *pass(part: Part, { size }: PassOptions): Generator<Batch<nn.Layer, Confusion>, void, undefined> {
    for (let from = 0; from < this.count(part); from += size) yield this.#batch(from, from + size);
  }

  accumulator(): MeanIou {
    return new MeanIou(3);
  }

  #batch(from: number, to: number): Batch<nn.Layer, Confusion> {
    const labels = this.labels.slice(from, to);
    const inputs = () => tensor(this.pixels.slice(from, to).map((pixel) => [pixel]));
    const loss = (model: nn.Layer) => model.forward(inputs()).crossEntropyLoss(tensor(labels, 'int64'));
    return {
      count: labels.length,
      length: 1,
      loss,
      trainingLoss(model) {
        const value = loss(model);
        return { loss: value, total: value };
      },
      tally(model) {
        const logits = model.forward(inputs());
        const predicted = logits.argmax(1).toNumbers();
        const matrix = Array.from({ length: 3 }, () => [0, 0, 0]);
        for (const [pixel, label] of labels.entries()) matrix[label]![predicted[pixel]!]!++;
        return { finite: logits.isfinite().all().item() !== 0, matrix };
      },
    };
  }
}

/** The class of the interval that a value is in: below 10, below 20, or above. Beyond 1000 it gives no number. */
class Intervals extends nn.Layer {
  override forward(values: Tensor): Tensor {
    return tensor(
      values.toNumbers().map((value) => {
        if (value > 1000) return [Number.NaN, 0, 0];
        const label = value < 10 ? 0 : value < 20 ? 1 : 2;
        return [0, 1, 2].map((one) => (one === label ? 1 : 0));
      }),
    );
  }
}

describe('an evaluation whose measures are no means', () => {
  // Predicted: 0 0 1 1 2 0 2 2.
  const pixels = [1, 2, 11, 12, 21, 3, 22, 23];
  const labels = [0, 0, 0, 1, 1, 2, 2, 2];
  const task = new Segmentation(pixels, labels);

  it.each([1, 2, 3, 5, 8, 100])('has mean IoU over the whole part, %i at a time', (size) => {
    // Class 0: right 2, true 3, predicted 3: 2/4. Class 1: right 1, true 2, predicted 2: 1/3. Class 2: 2 of 3 + 3 - 2: 2/4.
    expect(evaluate(task, new Intervals().eval(), 'validation', { size })).toEqual({
      miou: expect.closeTo((2 / 4 + 1 / 3 + 2 / 4) / 3, 12),
      accuracy: 5 / 8,
    });
  });

  it('tells what else it has counted, if that is asked for', () => {
    const counted = evaluateInDetail(task, new Intervals().eval(), 'validation', { size: 3 });
    // Rows are the true classes.
    expect(counted.details).toEqual({
      matrix: [
        [2, 1, 0],
        [0, 1, 1],
        [1, 0, 2],
      ],
    });
    expect(counted.measures).toEqual(evaluate(task, new Intervals().eval(), 'validation', { size: 3 }));
    class Plain extends Segmentation {
      override accumulator(): MeanIou {
        return Object.assign(super.accumulator(), { details: undefined });
      }
    }
    const plain = evaluateInDetail(new Plain(pixels, labels), new Intervals().eval(), 'validation', {
      size: 3,
    });
    expect(plain).not.toHaveProperty('details');
  });

  it('is a divergence where a measure has no value, though every output is finite', () => {
    // No pixel is of class 1 or 2 or taken for it: their unions are empty.
    const one = new Segmentation([1], [0]);
    expect(() => evaluate(one, new Intervals().eval(), 'test', { size: 1 })).toThrow(
      new Diverged('diverged: the test miou is NaN'),
    );
  });

  it('is a divergence where an output is not finite, though every count is', () => {
    const broken = new Segmentation([1, 2000], [0, 1]);
    expect(() => evaluate(broken, new Intervals().eval(), 'validation', { size: 2 })).toThrow(
      new Diverged('diverged: the network gives outputs that are not finite'),
    );
  });

  it('of a part without inputs is refused', () => {
    const refused = () => evaluate(task, new Intervals().eval(), 'train', { size: 4 });
    expect(refused).toThrow(new InputError('the train data has no batch of 4'));
  });
});
