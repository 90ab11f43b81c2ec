import type { Tensor } from '@espalier/torch';
import type { ScoredDecisions, ScoredSequences } from '../controller/controller.js';

/** A minibatch of m children whose rewards are known. */
export interface Minibatch {
  /** R_k - b of each child: by how much its reward exceeds the baseline. */
  readonly advantages: readonly number[];
  /**
   * How probable the decisions were when the children were drawn, in the parts of `ScoredSequences.decisions`, without
   * gradients.
   */
  readonly drawn: readonly ScoredDecisions[];
}

/** What a controller ascends, and what is to be known of it. */
interface Gain {
  /** One element. The weighted entropy is added to it. */
  readonly gain: Tensor;
  /** Numbers for the journal. */
  readonly facts?: Readonly<Record<string, number>>;
}

/** How a controller learns from the rewards of its children. */
export interface Policy {
  /** Gradients of one minibatch, one after the other. */
  readonly passes: number;
  /**
   * Whether a gradient is that at the newest parameters, because the policy allows for the fact that the children were
   * drawn with older ones. Otherwise it is the gradient at the parameters with which they were drawn, and `drawn` is
   * empty.
   */
  readonly atNewest: boolean;
  gain(scored: ScoredSequences, minibatch: Minibatch): Gain;
}
