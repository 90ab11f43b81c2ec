/** A minibatch that begins now, and those whose children are drawn and not all measured. */
export interface InFlight {
  /** Updates made so far. */
  readonly version: number;
  /** Gradients since the last update, and how many make one. */
  readonly accumulated: number;
  readonly accumulate: number;
  /** Gradients of a minibatch. */
  readonly passes: number;
  /** The versions at which the children of the other minibatches were drawn. */
  readonly drawnAt: readonly number[];
}

/**
 * Whether another minibatch can begin without a gradient ever becoming staler than `most` updates, in whatever order
 * results arrive. A minibatch becomes stalest if all others push their gradients first, so the oldest one decides. With
 * none in flight the answer is yes.
 *
 * So a bound makes replicas wait, as in stale synchronous parallel training (Ho et al. 2013), and no gradient of children
 * that were trained is thrown away. With `most` 0, all gradients of an update are at the same parameters.
 */
export function canBegin(
  { version, accumulated, accumulate, passes, drawnAt }: InFlight,
  most: number,
): boolean {
  const others = drawnAt.length;
  const updates = Math.floor((accumulated + others * passes) / accumulate);
  return version + updates - Math.min(version, ...drawnAt) <= most;
}
