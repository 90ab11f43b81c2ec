import type { Outcome } from './outcome.js';

/** The failed outcome of something that was thrown; where it was thrown is the process's affair. */
export function failureOf(error: unknown): Outcome {
  if (!(error instanceof Error)) return { status: 'failed', reason: String(error) };
  return { status: 'failed', reason: error.message || error.name, clock: { stack: error.stack ?? '' } };
}
