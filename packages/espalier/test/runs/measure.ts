import type { TrialRequest } from '../../src/runs/estimator.js';
import type { Outcome } from '../../src/runs/outcome.js';

/** The outcome of a trial, which depends on nothing but the request; about one in nine fails. */
export function measure({ answers, depth = 1, seed }: TrialRequest): Outcome {
  const mixed = (seed % 997) + (answers[0] as number) * 31 + depth * 7;
  if (mixed % 9 === 0)
    return { status: 'failed', reason: `diverged at ${mixed}`, cost: 0.25, clock: { at: Math.random() } };
  const accuracy = (mixed % 1000) / 1000;
  return {
    status: 'ok',
    measures: { accuracy, params: mixed },
    epochs: [{ measures: { accuracy: (mixed % 10) / 10 } }, { measures: { accuracy } }],
    cost: 1 + (mixed % 4) / 4,
    clock: { images: Math.random() },
  };
}
