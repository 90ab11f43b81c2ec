import { noGrad, scope, type Tensor } from '@espalier/torch';
import { InputError } from '../input-error.js';
import type { LanguageModel } from '../networks/language-model.js';
import { type Prediction, predictionOf } from './prediction.js';

/** The next token of each of N texts; the classes are the V tokens, the logits logarithms of probabilities. */
export interface TokenPrediction extends Prediction {
  /**
   * [N]: of each text from its second token on, each predicted from those before it: e to the mean negative logarithm
   * of their probabilities. Undefined for texts of one token.
   */
  readonly perplexities?: readonly number[];
}

/** Tokens read at once; the log-probabilities of all of a long text would not fit into memory. */
const STRETCH = 64;

/**
 * What a language model in evaluation says of texts, from the state of zeros on.
 *
 * @param tokens int64 [T, N]: N texts side by side
 * @throws InputError for a token beyond the vocabulary, for no token, and where a log-probability is not finite
 */
export function predictNextToken(model: LanguageModel, tokens: Tensor): TokenPrediction {
  const [times = 0, texts = 0] = tokens.shape;
  checkTokens(tokens, model.vocabulary);
  model.eval();
  return scope(() =>
    noGrad(() => {
      const losses = new Float64Array(texts);
      let state = model.initialState(texts);
      let last: Tensor | undefined;
      for (let from = 0; from < times; from += STRETCH) {
        const length = Math.min(STRETCH, times - from);
        const read = scope(() => {
          const { logits, state: next } = model.forward(tokens.narrow(0, from, length), state);
          const logProbabilities = logits.logSoftmax(-1);
          const followed = Math.min(length, times - 1 - from);
          if (followed > 0) {
            const following = tokens.narrow(0, from + 1, followed).unsqueeze(2);
            const found = logProbabilities.narrow(0, 0, followed).gather(2, following).toNumbers();
            for (const [index, value] of found.entries()) losses[index % texts]! -= value;
          }
          return { next, last: logProbabilities.select(0, length - 1).clone() };
        });
        state = read.next;
        last = read.last;
      }
      const prediction = predictionOf(last as Tensor);
      if (times < 2) return prediction;
      return { ...prediction, perplexities: Array.from(losses, (loss) => Math.exp(loss / (times - 1))) };
    }),
  );
}

function checkTokens(tokens: Tensor, vocabulary: number): void {
  const { shape, dtype } = tokens;
  if (shape.length !== 2 || tokens.size === 0 || dtype !== 'int64')
    throw new InputError(
      `the tokens are a ${dtype} tensor [${shape}]; allowed: int64 [T, N], the T tokens of each of N texts`,
    );
  const texts = shape[1] as number;
  for (const [index, token] of tokens.toNumbers().entries())
    if (token < 0 || token >= vocabulary)
      throw new InputError(
        `token ${Math.floor(index / texts)} of text ${index % texts} is ${token}; ` +
          `the network's vocabulary has the tokens 0 to ${vocabulary - 1}`,
      );
}
