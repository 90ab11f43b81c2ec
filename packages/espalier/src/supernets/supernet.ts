import type { Tensor } from '@espalier/torch';
import type { LanguageModel, LanguageModelState, LanguageModelStep } from '../networks/language-model.js';
import type { Network } from '../networks/network.js';
import type { Relaxation } from './alphas.js';
import type { SkipConnections } from './skip-connections.js';

/** Options of the rule that derives an architecture. */
export interface DerivationRule {
  /** The most skip connections of a cell, where the supernet's `skips` say that they can be limited. */
  readonly maxSkips?: number;
}

/** What an architecture keeps of the mixtures of one kind of cell, whose alphas are [edges, operations]. */
export interface CellChoice {
  /** Node by node: the edges into it, as rows of the alphas, and how many of them are kept. */
  readonly nodes: readonly { readonly edges: readonly number[]; readonly keeps: number }[];
  /** The operations that a kept edge may have, as columns of the alphas. */
  readonly operations: readonly number[];
}

/**
 * A network that holds the weights of all architectures of a space. The architecture parameters are not among its
 * `parameters()`: an optimiser of their own learns them from other data.
 */
export interface SharesWeights {
  /** By what they decide, before the softmax over their last dimension. Those of cells are [edges, operations]. */
  architectureParameters(): Readonly<Record<string, Tensor>>;
  /**
   * The weights of choices that are normalised otherwise than by a softmax over the last dimension, by the names of the
   * architecture parameters: a row for each choice. A row of zeros is no choice: nothing leads there.
   */
  ownWeights?(): Readonly<Record<string, readonly (readonly number[])[]>>;
  /** What an architecture keeps, by the names of the architecture parameters; for the selection by perturbation. */
  choices?(): Readonly<Record<string, CellChoice>>;
  /** The skip connections of its architectures, for supernets that know a collapse by them. */
  readonly skips?: SkipConnections;
  /** One architecture with the shared weights, in the field's form: the inputs of `forward`, then the architecture. */
  forwardPath(...inputs: never[]): unknown;
  /** Replaces the softmax over the operations by another relaxation of the choice. */
  relax(relaxation: Relaxation): void;
  /** The architecture that the parameters favour, in the field's form. */
  derive(rule?: DerivationRule): unknown;
}

/** Architectures that run one after the other on the same images. */
export interface ArchitecturesOnOneInput<Architecture = unknown> {
  /** The logits of one, [N, classes]. */
  run(architecture: Architecture): Tensor;
  /** Frees what is kept between the runs. */
  free(): void;
}

/** The supernet of a space whose networks read images. */
export interface Supernet extends Network, SharesWeights {
  /** Many architectures on the same images, in evaluation and without gradients, where that saves work. */
  pathsOn?(image: Tensor): ArchitecturesOnOneInput<never>;
  forwardPath(image: Tensor, architecture: unknown): Tensor;
}

/** The supernet of a space whose networks read the tokens of a text. */
export interface LanguageSupernet extends LanguageModel, SharesWeights {
  forwardPath(tokens: Tensor, state: LanguageModelState, architecture: unknown): LanguageModelStep;
}
