import type { Outcome } from './outcome.js';

/** The outcome of a trial that threw `error`. The stack may differ between processes, so it belongs to the clock. */
export function failureOf(error: unknown): Outcome {
  if (!(error instanceof Error)) return { status: 'failed', reason: String(error) };
  return { status: 'failed', reason: error.message || error.name, clock: { stack: error.stack ?? '' } };
}
