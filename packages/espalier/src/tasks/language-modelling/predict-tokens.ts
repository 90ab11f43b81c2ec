import { scope } from '@espalier/torch';
import { InputError } from '../../input-error.js';
import type { LanguageModel } from '../../networks/language-model.js';
import { isTensorFile, readInputTensor } from '../../prediction/input-tensor.js';
import { predictNextToken } from '../../prediction/predict-next-token.js';
import { rankedLines } from '../../prediction/ranked-lines.js';
import type { TokenInput } from '../../space/space.js';
import type { PredictionReport, PredictionRequest } from '../task-definition.js';

const TENSORS = new Map([
  [1, '[T]'],
  [2, '[T, N]'],
]);

/** The next token of each text of a tensor of tokens, and the perplexity of the text itself. */
export function predictTokens({
  network,
  input,
  space,
  file,
  signature,
}: PredictionRequest<TokenInput, LanguageModel>): PredictionReport {
  if (!isTensorFile(file))
    throw new InputError(
      `--input ${file}: the networks of space ${space.name} read tokens; ` +
        `allowed: a .safetensors file with one int64 tensor ${[...TENSORS.values()].join(' or ')}`,
    );
  const prediction = scope(() => {
    const tensor = readInputTensor(file, 'int64', TENSORS);
    return predictNextToken(network, tensor.shape.length === 1 ? tensor.unsqueeze(1) : tensor);
  });
  const { classes, perplexities } = prediction;
  const words = signature?.vocabulary as readonly string[] | undefined;
  const nameOf = (token: number) => (words?.[token] === undefined ? `token ${token}` : words[token]);
  return {
    json: {
      space: space.name,
      input,
      ...prediction,
      ...(words === undefined ? {} : { names: classes.map(nameOf) }),
    },
    lines: [...classes.keys()].flatMap((index) => {
      const name = classes.length === 1 ? file : `${file}, text ${index}`;
      const perplexity = perplexities?.[index];
      return [
        `${name}${perplexity === undefined ? '' : `: perplexity ${perplexity.toFixed(2)}`}; the next token`,
        ...rankedLines(prediction, index, nameOf),
      ];
    }),
  };
}
