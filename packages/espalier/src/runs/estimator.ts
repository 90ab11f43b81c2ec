import type { Json } from '../json.js';
import type { Answer } from '../space/language.js';
import type { Outcome } from './outcome.js';

/** A trial to be measured. Its outcome depends on nothing else, so that it may be measured again elsewhere. */
export interface TrialRequest {
  readonly trial: number;
  readonly answers: readonly Answer[];
  /** The value of the space's depth option that the answers are for; the space's own where it is missing. */
  readonly depth?: number;
  /** Of everything random in the trial. */
  readonly seed: number;
}

/** What an estimator is given along with a trial. */
export interface EstimateContext {
  /** Aborted when the search stops; the outcome is not used any more. */
  readonly signal: AbortSignal;
  /** Says how the trial goes on, for a terminal; it is not journaled. */
  progress(progress: Json): void;
}

/** Turns an architecture and a seed into measured numbers. */
export interface Estimator {
  /** An error thrown, or something that is no outcome, makes a failed trial with its reason. */
  estimate(request: TrialRequest, context: EstimateContext): Promise<Outcome>;
  close(): Promise<void>;
}
