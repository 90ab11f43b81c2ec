import type { TrialRequest } from '../../src/runs/estimator.js';
import type { Outcome } from '../../src/runs/outcome.js';

/** What a trial comes to, from nothing but what was asked; every ninth or so fails. */
export function measure({ answers, depth = 1, seed }: TrialRequest): Outcome {
  const mixed = (seed % 997) + (answers[0] as number) * 31 + depth * 7;
  if (mixed % 9 === 0)
    return { status: 'failed', reason: `diverged at ${mixed}`, clock: { at: Math.random() } };
  return {
    status: 'ok',
    accuracy: (mixed % 1000) / 1000,
    epochs: [{ accuracy: (mixed % 10) / 10 }, { accuracy: (mixed % 1000) / 1000 }],
    params: mixed,
    clock: { images: Math.random() },
  };
}
