import type { Json } from '../json.js';
import type { Objectives } from '../measures/measure.js';
import type { ImportGraph } from '../modules/import-graph.js';
import type { EstimateContext, Estimator, TrialRequest } from '../runs/estimator.js';
import type { Measured } from '../runs/outcome.js';
import type { OpenTrialPool } from '../runs/trial-pool.js';
import type { OptionsSchema } from '../space/options.js';
import type { Space } from '../space/space.js';

/** A trial with its architecture. */
export interface Trial<A = unknown> extends TrialRequest {
  /** The space at the depth of the trial. */
  readonly space: Space;
  readonly architecture: A;
}

/** What an estimator begins with. */
export interface EstimatorStart<O> {
  readonly space: Space;
  /** The space's name, or the path of its file: by which another process finds it. */
  readonly spaceName: string;
  /** Of the space's code, where it is a user's: what another process loads must be the same. */
  readonly spaceChecksum?: string;
  readonly options: O;
  readonly seed: number;
  /** How many trials it is given at a time. */
  readonly workers: number;
  /** The folder that relative paths of the options begin at. */
  readonly folder: string;
  /** Opens what trains children in processes of their own, on this machine or on others. */
  readonly openPool: OpenTrialPool;
  /** Of a strategy that says itself how long children are trained: epochs of the longest. */
  readonly plannedEpochs?: number;
}

/** What the measured numbers depend on besides the architecture: two searches with the same source can be compared. */
export interface EstimationSource {
  /** For people: `mnist`. */
  readonly name: string;
  readonly checksum: string;
}

/** An estimator at work. */
export interface OpenedEstimator<A = unknown> extends Pick<Estimator, 'begin' | 'forget'> {
  /** What it measures and a search is after. The first measure decides. */
  readonly objectives: Objectives;
  /** Unit of the outcomes' `cost`: `epochs`, `simulated seconds`. */
  readonly costUnit?: string;
  readonly source?: EstimationSource;
  /** What the networks are built for, where it builds some: later commands build the same without its data. */
  readonly input?: Readonly<Record<string, Json>>;
  /** The options with everything that was found out about them, for the header. Missing: as they were given. */
  readonly options?: Readonly<Record<string, Json>>;
  /** What it has loaded of the user's code, which the run keeps a copy of. */
  readonly code?: readonly ImportGraph[];
  /** What a person should know before the search begins. */
  readonly notes?: readonly string[];
  /** Measures a trial. An error makes a failed trial with its message as the reason. */
  estimate(trial: Trial<A>, context: EstimateContext): Promise<Measured> | Measured;
  /** Frees what it holds. */
  close?(): Promise<void> | void;
}

/** A way to turn an architecture, a budget and a seed into measured numbers. */
export interface EstimatorDefinition<O extends object = Record<never, never>, A = unknown> {
  readonly name: string;
  /** Options with descriptions and defaults: what `--set estimator.KEY=VALUE` may change. Missing: it has none. */
  readonly options?: OptionsSchema<O>;
  /**
   * Makes it ready. Everything that may be wrong has to be checked here, before the search writes anything.
   *
   * @throws InputError for whatever is wrong with the options or the data
   */
  open(start: EstimatorStart<O>): OpenedEstimator<A> | Promise<OpenedEstimator<A>>;
}

/** A definition whose options and architectures are not known. */
// biome-ignore lint/suspicious/noExplicitAny: the schema checks the options at run time
export type AnyEstimatorDefinition = EstimatorDefinition<any, any>;

/** A definition as it is, with its types inferred: `export default defineEstimator({ name, open: ... })`. */
export function defineEstimator<O extends object = Record<never, never>, A = unknown>(
  definition: EstimatorDefinition<O, A>,
): EstimatorDefinition<O, A> {
  return definition;
}
