import type { Json } from '../json.js';
import type { Objectives } from '../measures/measure.js';
import type { WorkerSettings } from './child-message.js';
import type { EstimateContext, SearchAtWork, TrialRequest } from './estimator.js';
import type { Measured } from './outcome.js';

/** What trials are measured with, wherever they are. */
export interface TrialPoolOptions {
  /** The program of a process that measures them: a module that calls `serve`. */
  readonly module: string | URL;
  /** Is passed to `begin` of `serve` in every such process. */
  readonly init: Json;
  /** One for each trial that is measured at a time. */
  readonly workers: readonly WorkerSettings[];
  /** A trial that takes longer is killed and counts as failed. The start of a worker is not included. */
  readonly timeoutSeconds?: number;
  /** The data that they are measured on: other machines must have the same. */
  readonly data: { readonly name: string; readonly checksum: string };
  readonly objectives: Objectives;
}

/** Measures trials in processes of their own: on this machine (`ChildPool`), or on others (`QueuePool`). */
export interface TrialPool {
  /** What a person should know, once it is ready. */
  readonly notes?: readonly string[];
  /**
   * @param processes start only so many for the time being, where it has some
   * @throws InputError for what prevents it from measuring anything; nothing was written then
   */
  ready(processes?: number): Promise<void>;
  /** See `Estimator.begin`. */
  begin?(search: SearchAtWork): Promise<void>;
  /** See `Estimator.forget`. */
  forget?(trial: number): void;
  /** @param work how much there is to do, in units that take about equally long: epochs */
  estimate(request: TrialRequest, context: EstimateContext, work: number): Promise<Measured>;
  /** Ends all that it has begun, whatever it is doing. */
  close(): Promise<void>;
}

export type OpenTrialPool = (options: TrialPoolOptions) => TrialPool;
