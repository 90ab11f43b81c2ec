import type { Json } from '../json.js';
import type { TrialRequest } from './estimator.js';

/** What a worker does at a time. */
export interface Job {
  /** No other job of the pool has it. */
  readonly trial: number;
}

/** A trial as it is sent to a worker. */
export interface WorkerRequest extends TrialRequest {
  /** Address of the store for its checkpoints, if it may be continued. */
  readonly checkpoints?: Json;
  /** Whether the store also keeps how far it is, so that another attempt goes on from there. */
  readonly keeps?: boolean;
}

/** The settings of one worker of a pool. */
export interface WorkerSettings {
  /** Number of threads for computations. */
  readonly threads: number;
  /** Device for training: `cpu`, `cuda:0`. By default the device in the settings of the training. */
  readonly device?: string;
}

/** A message to a worker: first how to begin, then one job at a time. */
export type ToWorker =
  /** The worker must not outlive the process `parent`. */
  | {
      readonly kind: 'begin';
      readonly parent: number;
      readonly init: Json;
      readonly settings: WorkerSettings;
    }
  | { readonly kind: 'trial'; readonly request: Job };

/** A message from a worker. */
export type FromWorker =
  | { readonly kind: 'ready' }
  /** The worker cannot work at all, and exits. `input` says whether the input of the user is at fault. */
  | { readonly kind: 'unable'; readonly message: string; readonly input: boolean }
  | { readonly kind: 'progress'; readonly trial: number; readonly progress: Json }
  /** If `last` is true, the worker cannot take another trial, and exits. */
  | { readonly kind: 'outcome'; readonly trial: number; readonly outcome: unknown; readonly last: boolean };
