import { type Tensor, zeros } from '@espalier/torch';
import { LanguageModel, type LanguageModelState, type LanguageModelStep } from '../language-model.js';
import { Decoder } from './decoder.js';
import { Encoder } from './encoder.js';
import type { RecurrentCell } from './recurrent-cell.js';
import { lockedDropout, type VariationalDropout } from './variational-dropout.js';
import { startingWeights } from './weights.js';

interface RecurrentLanguageModelOptions {
  readonly vocabulary: number;
  /** Whether the embedding and the decoder share their weight (Inan et al. 2016, Press & Wolf 2016). */
  readonly tied: boolean;
  readonly dropout: VariationalDropout;
}

/**
 * A language model of an embedding, recurrent layers and a decoder, with variational dropout between them, like that of
 * the authors of DARTS. Modules and parameters have the names of their `RNNModel`.
 */
export class RecurrentLanguageModel extends LanguageModel {
  readonly vocabulary: number;
  readonly encoder: Encoder;
  readonly rnns: readonly RecurrentCell[];
  readonly decoder: Decoder;
  /** The dropout probabilities for the next BPTT windows. Training may change them. */
  dropout: VariationalDropout;

  /** @param cells one cell per layer, each with as many inputs as hidden units */
  constructor(cells: readonly [RecurrentCell, ...RecurrentCell[]], options: RecurrentLanguageModelOptions) {
    super();
    const { hidden } = cells[0];
    this.vocabulary = options.vocabulary;
    this.dropout = options.dropout;
    this.encoder = new Encoder(this.vocabulary, hidden);
    this.rnns = cells;
    this.decoder = new Decoder(options.tied ? this.encoder.weight : startingWeights(this.vocabulary, hidden));
  }

  initialState(batch: number): LanguageModelState {
    const { dtype, device } = this.encoder.weight;
    return this.rnns.flatMap(({ stateSize, hidden }) =>
      Array.from({ length: stateSize }, () => zeros([batch, hidden], { dtype, device })),
    );
  }

  forward(tokens: Tensor, state: LanguageModelState): LanguageModelStep {
    const { dropoutEmbedding, dropoutInput, dropoutOutput } = this.dropout;
    const locked = (value: Tensor, p: number) => (this.training ? lockedDropout(value, p) : value);
    let raw = locked(this.encoder.forward(tokens, dropoutEmbedding), dropoutInput);
    const next: Tensor[] = [];
    for (const cell of this.rnns) {
      const own = state.slice(next.length, next.length + cell.stateSize);
      const { outputs, state: after } = cell.forward(raw, own, this.dropout);
      raw = outputs;
      next.push(...after);
    }
    const dropped = locked(raw, dropoutOutput);
    return { logits: this.decoder.forward(dropped), state: next, activations: { raw, dropped } };
  }
}
