import { accuracy } from '../../src/measures/accuracy.js';
import { goodness, type Measure } from '../../src/measures/measure.js';
import type { TrialOutcome } from '../../src/strategies/strategy.js';

/** The outcome of a trial that was measured by `objective` alone. */
export function ok(value: number, objective: Measure = accuracy): TrialOutcome {
  return {
    status: 'ok',
    value,
    goodness: goodness(objective, value),
    measures: { [objective.name]: value },
  };
}

export const failed: TrialOutcome = { status: 'failed', reason: 'the loss is not a number' };
