import type { Json } from '../json.js';
import type { Answer } from '../space/language.js';
import type { Outcome } from './outcome.js';

/** A trial to be measured. Its outcome depends on nothing else, so that it may be measured again elsewhere. */
export interface TrialRequest {
  readonly trial: number;
  readonly answers: readonly Answer[];
  /** The value of the space's depth option that the answers are for; the space's own where it is missing. */
  readonly depth?: number;
  /** How many epochs the network shall have been trained for in the end; as the settings say where it is missing. */
  readonly epochs?: number;
  /** The trial of the same answers and seed, with fewer epochs, whose training goes on. */
  readonly continues?: number;
  /** Of everything random in the trial, and in those that go on with it. */
  readonly seed: number;
}

/** A trial along with where its training may be kept. The outcome is the same whether the files are there or not. */
export interface EstimateRequest extends TrialRequest {
  readonly checkpoints?: Checkpoints;
}

/** Paths of files. */
export interface Checkpoints {
  /** Where a training that may go on later is saved; its folder may have to be made. */
  readonly save: string;
  /** Where the one that goes on was saved. */
  readonly load?: string;
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
  estimate(request: EstimateRequest, context: EstimateContext): Promise<Outcome>;
  close(): Promise<void>;
}
