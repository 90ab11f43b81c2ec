import type { nn, Tensor } from '@espalier/torch';

/** A training step on random data, which takes as long as a step on real data. */
export interface TrainingStep {
  readonly network: nn.Module;
  /** The loss of the batch. The batch is the same in every call. The tensors created belong to the caller's scope. */
  loss(): Tensor;
  /** Frees the batch. */
  free(): void;
}
