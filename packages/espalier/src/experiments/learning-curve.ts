import { z } from 'zod';
import type { Outcome } from '../runs/outcome.js';

const epochs = z
  .array(
    z.looseObject({
      epoch: z.exactOptional(z.number()),
      measures: z.record(z.string(), z.number()),
    }),
  )
  .catch([]);

/** A measure after an epoch of a child. */
export interface CurvePoint {
  readonly epoch: number;
  readonly value: number;
}

/**
 * A validation measure of a child after each of its epochs, from the first one on, also those of an earlier training that
 * it continued. Empty where its estimator does not say.
 */
export function learningCurve(outcome: Outcome | undefined, measure: string): CurvePoint[] {
  if (outcome?.status !== 'ok') return [];
  return epochs.parse(outcome.epochs).flatMap(({ epoch, measures }, index) => {
    const value = measures[measure];
    return value === undefined || !Number.isFinite(value) ? [] : [{ epoch: epoch ?? index + 1, value }];
  });
}
