import type { Tensor } from '@espalier/torch';
import type { LanguageModel } from '../networks/language-model.js';
import type { Network } from '../networks/network.js';

/**
 * A network that holds the weights of all architectures of a space. The architecture parameters are not among its
 * `parameters()`: they are learned from other data, by an optimiser of their own.
 */
interface SharesWeights {
  /** By what they decide, before the softmax over their last dimension: those of cells are [edges, operations]. */
  architectureParameters(): Readonly<Record<string, Tensor>>;
}

/** Of a space whose networks read images. */
export interface Supernet extends Network, SharesWeights {}

/** Of a space whose networks read the tokens of a text. */
export interface LanguageSupernet extends LanguageModel, SharesWeights {}
