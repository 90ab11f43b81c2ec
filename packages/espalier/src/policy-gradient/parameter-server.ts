import type { Tensor } from '@espalier/torch';

/** The parameters of a controller, as the shards of a parameter server have them. */
export interface Fetched {
  /** For each shard, the number of updates that it has made. */
  readonly versions: readonly number[];
  /** The heads of the controller, in the order in which they were created: see `Controller.heads`. */
  readonly heads: readonly string[];
  /** The parameters by name. They may change with the next `push`, so the caller copies them. */
  readonly parameters: ReadonlyMap<string, Tensor>;
}

/** The gradient of what a controller minimises, on a minibatch of children. */
export interface Gradient {
  /** By the names of the parameters. Parameters without influence are missing. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** For each shard, the version of the parameters with which the children were drawn. */
  readonly drawnAt: readonly number[];
  /**
   * Names the gradient: a server that is reached over a network takes one with the same name once, so that it can be pushed
   * again when nobody knows whether it arrived.
   */
  readonly name?: string;
}

/** What became of a gradient. */
export interface Pushed {
  /** How many updates a shard has made since the children were drawn, at most. */
  readonly staleness: number;
  /** Whether the shards have made an update with this gradient. Otherwise they accumulate more of them first. */
  readonly updated: boolean;
  /** For each shard, its version after this. */
  readonly versions: readonly number[];
}

/** At once, or later where the shards are in other processes. */
type Answered<T> = T | Promise<T>;

/**
 * The parameter server of Zoph & Le 2016 (section 3.2, figure 3; Dean et al. 2012): "a parameter-server scheme where we
 * have a parameter server of S shards, that store the shared parameters for K controller replicas. Each controller
 * replica samples m different child architectures".
 *
 * Every parameter belongs to one shard, which also has the state of Adam for it. Shards know nothing of each other: a
 * parameter's shard follows from its name (`shardOf`), and its initial value from the seed and its name. So shards can
 * be on different machines.
 *
 * There (`RedisParameterServer`) these operations return promises, and a strategy's `ask` cannot wait for one. So a replica
 * is then a process of its own: it awaits `fetch`, draws its children, awaits their results, and awaits `push`. The
 * strategy in the process of the search only hands out what was drawn (or says 'wait') and passes results on. `Replica`
 * knows nothing of the server for that reason: whoever drives it fetches and pushes.
 */
export interface ParameterServer {
  /** The newest parameters. */
  fetch(): Answered<Fetched>;

  /**
   * Creates heads, named as in `Controller.heads`, whose question a replica was asked for the first time. Heads that
   * there are already stay as they are, so the order of two replicas does not matter for the parameters.
   */
  grow(heads: readonly string[]): Answered<void>;

  /**
   * Gives every shard its part of a gradient. Once a shard has as many gradients as it accumulates, it makes an update
   * with their mean.
   */
  push(gradient: Gradient): Answered<Pushed>;
}
