import type { Json } from '../json.js';
import type { Answer } from '../space/language.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { Measured } from './outcome.js';

/** A trial to be measured. Its outcome depends on nothing else, so it can be measured again elsewhere. */
export interface TrialRequest {
  readonly trial: number;
  readonly answers: readonly Answer[];
  /** Value of the depth option of the space for these answers. By default that of the space itself. */
  readonly depth?: number;
  /** Epochs of training that the network has had when the trial ends. By default as many as the settings say. */
  readonly epochs?: number;
  /** The trial whose training is continued. It has the same answers and seed, and fewer epochs. */
  readonly continues?: number;
  /** Epochs of the trial that is continued. */
  readonly epochsDone?: number;
  /** Seed of everything random in the trial, and in the trials that continue it. */
  readonly seed: number;
}

/** What an estimator receives along with a trial. */
export interface EstimateContext {
  /** Is aborted when the search stops. The outcome is not used then. */
  readonly signal: AbortSignal;
  /** Reports the progress of the trial to a terminal. It is not journaled. */
  progress(progress: Json): void;
  /**
   * The store for checkpoints of trials that may be continued; missing for other trials. The outcome must not depend on
   * whether a checkpoint exists.
   */
  readonly checkpoints?: CheckpointStore;
  /** Whether the store also keeps how far a trial is, so that another attempt at it goes on from there. */
  readonly keeps?: boolean;
}

/** A search that trials are measured for, as the estimator sees it. */
export interface SearchAtWork {
  /** See `runIdOf`. */
  readonly id: string;
  /** Its folder, from the root. */
  readonly folder: string;
  /** Says something to the user. */
  message(text: string): void;
  /**
   * Takes another outcome of a trial, from an attempt that had been given up. What the seed determines must be equal: a
   * difference is journaled.
   */
  late(trial: number, outcome: unknown): void;
  /** Ends the search with an error: it cannot go on in this process. */
  fail(error: Error): void;
}

/** Measures an architecture, given a seed. */
export interface Estimator {
  /** Is called before the first trial. */
  begin?(search: SearchAtWork): Promise<void> | void;
  /** Whatever is kept of a trial is of no use any more: its outcome is in the journal, or it is to be measured anew. */
  forget?(trial: number): void;
  /** If it throws an error or returns an invalid outcome, the trial has failed, with the message as the reason. */
  estimate(request: TrialRequest, context: EstimateContext): Promise<Measured> | Measured;
  /** Releases resources such as worker processes. */
  close?(): Promise<void> | void;
}
