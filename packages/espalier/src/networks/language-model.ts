import { nn, type Tensor } from '@espalier/torch';

/** The recurrent state that a language model carries from one BPTT window to the next: tensors [N, units]. */
export type LanguageModelState = readonly Tensor[];

/** The results of a language model for T tokens (the BPTT length) from each of N texts. */
export interface LanguageModelStep {
  /** [T, N, V]. Their softmax over the last dimension is the distribution of the next token. */
  readonly logits: Tensor;
  /** The state after the last token. Call `detach` on it to truncate back-propagation through time. */
  readonly state: LanguageModelState;
  /** Outputs of the last recurrent layer, [T, N, units], for activation regularisation. */
  readonly activations: Activations;
}

export interface Activations {
  readonly raw: Tensor;
  /** The outputs after the dropout before the decoder. The same tensor as `raw` if nothing is dropped. */
  readonly dropped: Tensor;
}

/** Predicts the next token at each position of N texts in parallel. */
export abstract class LanguageModel extends nn.Module {
  /** V, the number of distinct tokens. */
  abstract readonly vocabulary: number;

  /** The state before the first token, all zeros. */
  abstract initialState(batch: number): LanguageModelState;

  /** @param tokens [T, N], int64, less than V */
  abstract forward(tokens: Tensor, state: LanguageModelState): LanguageModelStep;
}
