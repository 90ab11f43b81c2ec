import type { Tensor } from '@espalier/torch';
import type { LanguageModel, LanguageModelState, LanguageModelStep } from '../networks/language-model.js';
import type { Network } from '../networks/network.js';
import type { Relaxation } from './alphas.js';

/** What an architecture is derived with besides the rule of its paper. */
export interface DerivationRule {
  /** The most skip connections of a normal cell, in spaces that have both. */
  readonly maxSkips?: number;
}

/**
 * A network that holds the weights of all architectures of a space. The architecture parameters are not among its
 * `parameters()`: they are learned from other data, by an optimiser of their own.
 */
export interface SharesWeights {
  /** By what they decide, before the softmax over their last dimension: those of cells are [edges, operations]. */
  architectureParameters(): Readonly<Record<string, Tensor>>;
  /** One architecture with the shared weights, in the field's form: the inputs of `forward`, then the architecture. */
  forwardPath(...inputs: never[]): unknown;
  /** Takes another relaxation than the softmax for the choice of operations. */
  relax(relaxation: Relaxation): void;
  /** The architecture that the parameters favour, in the field's form. */
  derive(rule?: DerivationRule): unknown;
}

/** Architectures that are run one after the other on the same images. */
export interface ArchitecturesOnOneInput<Architecture = unknown> {
  /** The logits of one, [N, classes]. */
  run(architecture: Architecture): Tensor;
  /** Frees what is kept between the runs. */
  free(): void;
}

/** Of a space whose networks read images. */
export interface Supernet extends Network, SharesWeights {
  /** Where there is something to gain: many architectures on the same images, in evaluation, without gradients. */
  pathsOn?(image: Tensor): ArchitecturesOnOneInput<never>;
  forwardPath(image: Tensor, architecture: unknown): Tensor;
}

/** Of a space whose networks read the tokens of a text. */
export interface LanguageSupernet extends LanguageModel, SharesWeights {
  forwardPath(tokens: Tensor, state: LanguageModelState, architecture: unknown): LanguageModelStep;
}
