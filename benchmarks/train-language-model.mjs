/**
 * A training step of the language model with the recurrent cell of DARTS in the paper's final training (section A.2.2), with
 * variational dropout and temporal activation regularisation. Neither the state nor gradients are carried over from one BPTT
 * window to the next.
 */
import { hub } from '../packages/espalier/dist/hub/hub.js';
import { Space, spaces } from '../packages/espalier/dist/index.js';
import { buildLanguageModel } from '../packages/espalier/dist/networks/build-language-model.js';
import { activationRegularisation } from '../packages/espalier/dist/networks/recurrent/activation-regularisation.js';
import { backward, fused, manualSeed, optim, saveTensors, scope } from '../packages/torch/dist/index.js';
import { noDropout, randomText } from './driver/inputs.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: {
    hidden: 850,
    vocabulary: 10_000,
    batch: 64,
    bptt: 35,
    learningRate: 20,
    dropout: {
      dropoutEmbedding: 0.1,
      dropoutInput: 0.2,
      dropoutCellInput: 0.75,
      dropoutHidden: 0.25,
      dropoutOutput: 0.75,
    },
  },
  checked: { dropout: noDropout },
  unit: 'step',
  rounds: 3,
  steps: 2,
  layouts: ['default'],
  targets: {},

  prepare(settings, startFile) {
    const { hidden, vocabulary, batch, learningRate, dropout } = settings;
    manualSeed(1);
    const { architecture } = hub.get('darts-v2-rnn');
    const space = Space.configure(spaces.get('darts-rnn'), { hidden, ...dropout });
    const model = buildLanguageModel(space, architecture, { vocabulary });
    const { tokens, next } = randomText(settings);
    saveTensors(startFile, new Map([...model.stateDict(), ['tokens', tokens], ['next', next]]), {
      architecture: JSON.stringify(architecture),
    });
    const optimizer = new optim.SGD(model.parameters(), { learningRate, weightDecay: 8e-7 });
    return () =>
      scope(() => {
        const { logits, activations } = model.forward(tokens, model.initialState(batch));
        const loss = fused.crossEntropy(logits, next);
        backward(loss.add(activationRegularisation(activations, { alpha: 0, beta: 1e-3 })));
        optim.clipGradientNorm(model.parameters(), 0.25);
        optimizer.step();
        optimizer.zeroGrad();
        return loss.item();
      });
  },
};
