import type { Json } from '../json.js';
import type { Measures } from './measure.js';

/** What one batch adds to the measures of a part of the data. */
export interface Tally {
  /** Whether the outputs of the network that it was read off are all finite. */
  readonly finite: boolean;
}

/** Collects what batches add, and makes measures of it: a mean over inputs, a confusion matrix, sums of squares. */
export interface Accumulator<T extends Tally = Tally> {
  add(tally: T): void;
  /** The measures of all batches so far. */
  measures(): Measures;
  /**
   * What else it has counted, as plain JSON. The journal of a training keeps it, and its page shows what it knows:
   * `confusion`, a list of [true class, predicted class, count], and `iou`, the intersection over union of each class, null
   * for one that neither occurs nor is predicted; with it the counts are of pixels.
   */
  details?(): Readonly<Record<string, Json>>;
}

/** Sums over the inputs of a batch. */
export interface Sums extends Tally {
  /** How many inputs the sums are over: images, or tokens. */
  readonly count: number;
  readonly sums: Measures;
}

/** Measures that are means over inputs, or functions of such means. */
export class Means implements Accumulator<Sums> {
  #count = 0;
  readonly #sums = new Map<string, number>();

  /** @param measuresOf the measures, from the means of the sums by name */
  constructor(private readonly measuresOf: (means: Measures) => Measures = (means) => means) {}

  add({ count, sums }: Sums): void {
    this.#count += count;
    for (const [name, sum] of Object.entries(sums)) this.#sums.set(name, (this.#sums.get(name) ?? 0) + sum);
  }

  measures(): Measures {
    return this.measuresOf(
      Object.fromEntries([...this.#sums].map(([name, sum]) => [name, sum / this.#count])),
    );
  }
}
