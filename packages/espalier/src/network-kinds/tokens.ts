import { fused, randint } from '@espalier/torch';
import { z } from 'zod';
import { languageModelProgram } from '../export/language-model-program.js';
import { buildLanguageModel } from '../networks/build-language-model.js';
import type { LanguageModel } from '../networks/language-model.js';
import { traceLanguageModel } from '../networks/operator-trace.js';
import type { TokenInput } from '../space/space.js';
import { buildLanguageSupernet } from '../supernets/build-supernet.js';
import type { NetworkKind } from './network-kind.js';

/** The usual vocabulary of published language models: the words of Penn Treebank. */
const VOCABULARY = 10_000;

/** Tokens that a profiled step reads of each text: the BPTT length of the papers. */
const TEXT_LENGTH = 35;

/** Language models: tokens [T, N] and a state to the logits [T, N, V] of the next tokens, and the next state. */
export const tokens: NetworkKind<TokenInput, LanguageModel> = {
  reads: 'tokens',
  usualInput: () => ({ vocabulary: VOCABULARY }),
  inputOptions: z.strictObject({
    vocabulary: z
      .int()
      .min(1)
      .max(100_000_000)
      .optional()
      .describe(`different tokens (default: ${VOCABULARY})`),
  }),
  outputs: 'vocabulary',
  flags: { vocabulary: ['vocabulary'] },
  describeInput: ({ vocabulary }) => `token (vocabulary ${vocabulary.toLocaleString('en-US')})`,
  build: buildLanguageModel,
  buildSupernet: buildLanguageSupernet,
  trace: (model, _input, batch) => traceLanguageModel(model, batch),
  batchDimensions: 2,
  trainingStep(model, _input, batchSize) {
    const read = randint(0, model.vocabulary, [TEXT_LENGTH + 1, batchSize], { dtype: 'int64' }).keep();
    const state = model.initialState(batchSize).map((tensor) => tensor.keep());
    return {
      network: model,
      loss() {
        const { logits } = model.forward(read.slice(0, 0, TEXT_LENGTH), state);
        return fused.crossEntropy(logits, read.slice(0, 1));
      },
      free() {
        for (const tensor of [read, ...state]) tensor.free();
      },
    };
  },
  describeBatch: (count) => `text${count === 1 ? '' : 's'} of ${TEXT_LENGTH} tokens`,
  program: languageModelProgram,
};
