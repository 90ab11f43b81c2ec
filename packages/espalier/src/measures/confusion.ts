import { z } from 'zod';

/** How often inputs of a class (first) were taken for a class (second): classes from 0, only what occurred, sorted. */
export type ConfusionCounts = readonly (readonly [actual: number, predicted: number, count: number])[];

const index = z.int().min(0);
const counts = z.array(z.tuple([index, index, z.int().min(1)]));

/** Counts which classes are taken for which. */
export class Confusion {
  /** By the true class, then by the class that was predicted. */
  readonly #counts = new Map<number, Map<number, number>>();

  /** @param count how many inputs of the class were taken for the other, at least 1 */
  add(actual: number, predicted: number, count = 1): void {
    const row = this.#counts.get(actual) ?? new Map<number, number>();
    row.set(predicted, (row.get(predicted) ?? 0) + count);
    this.#counts.set(actual, row);
  }

  counts(): ConfusionCounts {
    const ascending = (one: readonly number[], other: readonly number[]) => one[0]! - other[0]!;
    return [...this.#counts]
      .sort(([one], [other]) => one - other)
      .flatMap(([actual, row]) =>
        [...row].sort(ascending).map(([predicted, count]) => [actual, predicted, count] as const),
      );
  }
}

/** The counts among what an evaluation found besides measures; undefined where there are none. */
export function confusionIn(details: unknown): ConfusionCounts | undefined {
  const parsed = z.looseObject({ confusion: counts }).safeParse(details);
  return parsed.success ? parsed.data.confusion : undefined;
}

/** The counts as a table, [actual][predicted], of so many classes or as many as occur. */
export function confusionMatrix(counts: ConfusionCounts, classes: number): number[][] {
  const size = counts.reduce(
    (most, [actual, predicted]) => Math.max(most, actual + 1, predicted + 1),
    classes,
  );
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (const [actual, predicted, count] of counts) matrix[actual]![predicted] = count;
  return matrix;
}

/**
 * The intersection over union of each class: of the inputs that are of the class or were taken for it, the share that is
 * both. Undefined where there are none.
 */
export function intersectionsOverUnions(counts: ConfusionCounts, classes: number): (number | undefined)[] {
  const matrix = confusionMatrix(counts, classes);
  const taken = matrix.map((_, label) => matrix.reduce((sum, row) => sum + row[label]!, 0));
  return matrix.map((row, label) => {
    const both = row[label]!;
    const union = row.reduce((sum, one) => sum + one, 0) + taken[label]! - both;
    return union === 0 ? undefined : both / union;
  });
}

/** The values by class among what an evaluation found besides measures; undefined where there are none. */
export function unionsIn(details: unknown): readonly (number | null)[] | undefined {
  const parsed = z.looseObject({ iou: z.array(z.number().nullable()) }).safeParse(details);
  return parsed.success ? parsed.data.iou : undefined;
}
