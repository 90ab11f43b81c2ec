import { nn, type Tensor } from '@espalier/torch';

/** What a language model remembers between two stretches of a text: tensors [N, units]. */
export type LanguageModelState = readonly Tensor[];

/** What a language model makes of a stretch of T tokens from each of N texts. */
export interface LanguageModelStep {
  /** [T, N, V]: their softmax over the last dimension is the probability of each token to come next. */
  readonly logits: Tensor;
  /** To go on from; `detach` it where back-propagation through time is cut. */
  readonly state: LanguageModelState;
  /** What the last recurrent layer gave out, [T, N, units]: activation regularisation reads it. */
  readonly activations: Activations;
}

export interface Activations {
  readonly raw: Tensor;
  /** After the dropout in front of the decoder; the same tensor where none is dropped. */
  readonly dropped: Tensor;
}

/** Predicts each next token of N texts side by side. */
export abstract class LanguageModel extends nn.Module {
  /** V, how many different tokens there are. */
  abstract readonly vocabulary: number;

  /** The state before the first token: zeros. */
  abstract initialState(batch: number): LanguageModelState;

  /** @param tokens [T, N], int64 below V */
  abstract forward(tokens: Tensor, state: LanguageModelState): LanguageModelStep;
}
