import { scope } from '@espalier/torch';
import { z } from 'zod';
import { LEVELS } from '../../data/text-level.js';
import { InputError } from '../../input-error.js';
import type { LanguageModel } from '../../networks/language-model.js';
import { isTensorFile, readInputTensor } from '../../prediction/input-tensor.js';
import { predictNextToken } from '../../prediction/predict-next-token.js';
import { rankedLines } from '../../prediction/ranked-lines.js';
import type { TokenInput } from '../../space/space.js';
import type { PredictionReport, PredictionRequest } from '../task-definition.js';
import { measuresByLevel } from './measures-by-level.js';
import { readBeginning } from './read-beginning.js';

const TENSORS = new Map([
  [1, '[T]'],
  [2, '[T, N]'],
]);

/** What a training keeps of its text. */
const textSignature = z.looseObject({
  level: z.enum(LEVELS).default('word'),
  vocabulary: z.array(z.string()).optional(),
});

/**
 * The next token of a text that begins in a file, or of each text of a tensor of tokens, and what the text itself is worth: its perplexity, or bits per
 * character.
 */
export function predictTokens({
  network,
  input,
  space,
  file,
  signature,
}: PredictionRequest<TokenInput, LanguageModel>): PredictionReport {
  const { level, vocabulary: names } = textSignature.parse(signature ?? {});
  const prediction = scope(() => {
    if (!isTensorFile(file)) {
      if (names !== undefined)
        return predictNextToken(network, readBeginning(file, { level, vocabulary: names }));
      throw new InputError(
        `--input ${file}: the networks of space ${space.name} read tokens, and only a training knows those of a text; ` +
          `allowed here: a .safetensors file with one int64 tensor ${[...TENSORS.values()].join(' or ')}`,
      );
    }
    const tensor = readInputTensor(file, 'int64', TENSORS);
    return predictNextToken(network, tensor.shape.length === 1 ? tensor.unsqueeze(1) : tensor);
  });
  const { perplexities, ...next } = prediction;
  const { classes } = next;
  const judgement = measuresByLevel[level];
  const nameOf = (token: number) => names?.[token] ?? `token ${token}`;
  return {
    json: {
      space: space.name,
      input,
      ...next,
      ...(perplexities === undefined ? {} : judgement.json(perplexities)),
      ...(names === undefined ? {} : { names: classes.map(nameOf) }),
    },
    lines: [...classes.keys()].flatMap((index) => {
      const name = classes.length === 1 ? file : `${file}, text ${index}`;
      const perplexity = perplexities?.[index];
      return [
        `${name}${perplexity === undefined ? '' : `: ${judgement.text(perplexity)}`}; the next token`,
        ...rankedLines(prediction, index, (token) => shown(nameOf(token))),
      ];
    }),
  };
}

/** A space is seen between quotes only. */
const shown = (token: string) => (/\S/.test(token) ? token : `'${token}'`);
