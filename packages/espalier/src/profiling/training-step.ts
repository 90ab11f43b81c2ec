import { fused, type nn, noGrad, randint, randn, scope, type Tensor, zeros } from '@espalier/torch';
import type { LanguageModel } from '../networks/language-model.js';
import type { Network } from '../networks/network.js';
import type { InputShape } from '../space/space.js';

/** A step of training on random data that lasts as long as one on real data. */
export interface TrainingStep {
  readonly network: nn.Module;
  /** The loss of the batch, the same each time; what it makes is the caller's scope's. */
  loss(): Tensor;
  /** Frees the batch. */
  free(): void;
}

/** The cross entropy of a classifier of images or of their pixels, in the memory layout that trains fastest. */
export function imageStep(network: Network, input: InputShape, batchSize: number): TrainingStep {
  const { channels, height, width, classes } = input;
  network.to({ memoryFormat: 'channels_last' });
  const [, , ...pixels] = scope(() =>
    noGrad(() => network.eval().forward(zeros([1, channels, height, width])).shape),
  );
  const images = randn([batchSize, height, width, channels]).keep();
  const labels = randint(0, classes, [batchSize, ...pixels], { dtype: 'int64' }).keep();
  return {
    network,
    loss: () => network.forward(images.permute([0, 3, 1, 2])).crossEntropyLoss(labels),
    free() {
      images.free();
      labels.free();
    },
  };
}

/** The negative log-likelihood of the next words of texts side by side, from a state of zeros. */
export function tokenStep(model: LanguageModel, batchSize: number, length: number): TrainingStep {
  const tokens = randint(0, model.vocabulary, [length + 1, batchSize], { dtype: 'int64' }).keep();
  const state = model.initialState(batchSize).map((tensor) => tensor.keep());
  return {
    network: model,
    loss() {
      const { logits } = model.forward(tokens.slice(0, 0, length), state);
      return fused.crossEntropy(logits, tokens.slice(0, 1));
    },
    free() {
      for (const tensor of [tokens, ...state]) tensor.free();
    },
  };
}
