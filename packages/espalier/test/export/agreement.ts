import { fromTypedArray, fused, type nn, noGrad, observeOperators, scope, Tensor } from '@espalier/torch';
import type { TraceOfBatch } from '../../src/export/exported-trace.js';
import { images as imageNetworks } from '../../src/network-kinds/images.js';
import { tokens as languageModels } from '../../src/network-kinds/tokens.js';
import type { LanguageModel } from '../../src/networks/language-model.js';
import type { InputShape } from '../../src/space/space.js';

/** What a network of images does with a batch of any size, as the exporters ask for it. */
export const traceOfImages =
  (network: nn.Layer, shape: InputShape): TraceOfBatch =>
  (batch) =>
    imageNetworks.trace(network, shape, batch);

/** The same of a language model. */
export const traceOfTokens =
  (model: LanguageModel): TraceOfBatch =>
  (batch) =>
    languageModels.trace(model, { vocabulary: model.vocabulary }, batch);

/** The greatest difference of logits, of the greatest of them where that is above 1. */
export const AGREEMENT = 1e-4;

/** Images of values that do not repeat within any of the tests' sizes, each brighter than the one before. */
export function images(count: number, { channels, height, width }: InputShape): Float32Array {
  const each = channels * height * width;
  return Float32Array.from(
    { length: count * each },
    (_, index) => Math.sin(index * index * 0.37 + index) + 0.5 * Math.floor(index / each),
  );
}

/**
 * Gives batch norms the statistics of their inputs, and scales and shifts that are not 1 and 0. A fresh network shrinks
 * an image so much that its logits are the classifier's bias.
 */
export function calibrate(network: nn.Layer, shape: InputShape): void {
  for (const [name, value] of network.stateDict())
    if (value.shape.length === 1 && /weight$|bias$/.test(name))
      noGrad(() => (name.endsWith('weight') ? value.uniform_(0.5, 1.5) : value.uniform_(-0.5, 0.5)));
  network.train();
  let measures = false;
  scope(() =>
    noGrad(() =>
      observeOperators(
        ({ name }, args) => {
          if (name !== 'aten::batch_norm' || measures) return;
          measures = true;
          const [input, mean, variance] = [args[0], args[3], args[4]].map(
            (handle) => new Tensor(handle as number),
          );
          const means = input!.mean([0, 2, 3]);
          mean!.copy_(means);
          const squares = input!.square().mean([0, 2, 3]);
          // At least a tenth of the squares: to divide by less would make rounding errors greater than what is tested.
          variance!.copy_(squares.sub(means.square()).add(squares.mul(0.1)).add(1e-3));
          measures = false;
        },
        // The kernels normalise without a call of batch norm.
        () =>
          fused.withoutKernels(() =>
            network.forward(fromTypedArray(images(4, shape), [4, shape.channels, shape.height, shape.width])),
          ),
      ),
    ),
  );
  network.eval();
}

export const scaleOf = (values: readonly number[]) =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);

/** Tokens of so many texts at a time, different ones from text to text and from time to time. */
export const tokensAt = (time: number, texts: number, vocabulary: number): bigint[] =>
  Array.from({ length: texts }, (_, text) => BigInt((3 * time + 5 * text + 1) % vocabulary));

/** Weights so large that each word and the state count: those of a fresh model are all about 0. */
export function strengthen(model: LanguageModel): void {
  for (const parameter of model.parameters()) noGrad(() => parameter.uniform_(-1.5, 1.5));
}
