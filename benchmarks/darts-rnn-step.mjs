/**
 * A first-order search step of DARTS for recurrent cells (Liu, Simonyan & Yang 2018, section A.1.2). It updates the
 * architecture parameters with the gradient of the validation loss, and then the weights with that of the training loss.
 * The state is not carried over from one BPTT window to the next.
 */
import { Space, spaces } from '../packages/espalier/dist/index.js';
import { activationRegularisation } from '../packages/espalier/dist/networks/recurrent/activation-regularisation.js';
import { buildLanguageSupernet } from '../packages/espalier/dist/supernets/build-supernet.js';
import {
  backward,
  fused,
  grad,
  manualSeed,
  optim,
  saveTensors,
  scope,
} from '../packages/torch/dist/index.js';
import { noDropout, randomText } from './driver/inputs.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: {
    hidden: 300,
    vocabulary: 10_000,
    batch: 64,
    bptt: 35,
    learningRate: 20,
    alphaLearningRate: 3e-3,
    dropout: {
      dropoutEmbedding: 0,
      dropoutInput: 0.2,
      dropoutCellInput: 0.75,
      dropoutHidden: 0.25,
      dropoutOutput: 0.75,
    },
  },
  checked: { learningRate: 0.1, alphaLearningRate: 0.01, dropout: noDropout },
  unit: 'step',
  rounds: 5,
  steps: 2,
  layouts: ['default'],
  targets: { default: 6 },

  prepare(settings, startFile) {
    const { hidden, vocabulary, batch, learningRate, alphaLearningRate, dropout } = settings;
    manualSeed(1);
    const space = Space.configure(spaces.get('darts-rnn'), { hidden, ...dropout });
    const model = buildLanguageSupernet(space, { vocabulary });
    const { recurrent: alphas } = model.architectureParameters();
    const train = randomText(settings);
    const validation = randomText(settings);
    const start = {
      alphas,
      'train.tokens': train.tokens,
      'train.next': train.next,
      'validation.tokens': validation.tokens,
      'validation.next': validation.next,
    };
    saveTensors(startFile, new Map([...model.stateDict(), ...Object.entries(start)]));

    const weights = model.parameters();
    const ofAlphas = new optim.Adam([alphas], { learningRate: alphaLearningRate, weightDecay: 1e-3 });
    const ofWeights = new optim.SGD(weights, { learningRate, weightDecay: 5e-7 });
    const lossOn = ({ tokens, next }) => {
      const { logits, activations } = model.forward(tokens, model.initialState(batch));
      return { loss: fused.crossEntropy(logits, next), activations };
    };

    const architectureStep = () =>
      scope(() => {
        const { loss } = lossOn(validation);
        [alphas.grad] = grad(loss, [alphas]);
        ofAlphas.step();
        ofAlphas.zeroGrad();
        return loss.item();
      });

    const weightStep = () =>
      scope(() => {
        const { loss, activations } = lossOn(train);
        backward(loss.add(activationRegularisation(activations, { alpha: 0, beta: 1e-3 })));
        optim.clipGradientNorm(weights, 0.25);
        ofWeights.step();
        ofWeights.zeroGrad();
        return loss.item();
      });

    return () => {
      const validationLoss = architectureStep();
      alphas.requiresGrad = false;
      const trainingLoss = weightStep();
      alphas.requiresGrad = true;
      return [validationLoss, trainingLoss];
    };
  },
};
