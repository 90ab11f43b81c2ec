/**
 * A search step of DARTS (Liu, Simonyan & Yang 2018, algorithm 1, section A.1.1). It updates the architecture parameters
 * with the gradient of the validation loss, and then the weights with that of the training loss. Order 2 uses the
 * validation loss after a step of the weights (equations 7 and 8).
 */
import { Space, spaces } from '../packages/espalier/dist/index.js';
import { buildSupernet } from '../packages/espalier/dist/supernets/build-supernet.js';
import {
  firstOrderGradient,
  secondOrderGradient,
} from '../packages/espalier/dist/weight-sharing/architecture-gradient.js';
import { backward, manualSeed, optim, saveTensors, scope } from '../packages/torch/dist/index.js';
import { imageShape, randomImages } from './driver/inputs.mjs';

const momentum = 0.9;
const weightDecay = 3e-4;

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: {
    order: 1,
    channels: 16,
    layers: 8,
    batch: 16,
    size: 32,
    classes: 10,
    learningRate: 0.025,
    alphaLearningRate: 3e-4,
  },
  // With this learning rate, the architecture parameters move far enough to affect the losses.
  checked: { learningRate: 3e-4, alphaLearningRate: 0.01 },
  unit: 'step',
  rounds: 5,
  steps: 2,
  layouts: ['default', 'channels_last'],
  targets: { default: 15, channels_last: 5 },

  prepare(settings, startFile) {
    const { order, channels, layers, learningRate, alphaLearningRate } = settings;
    manualSeed(1);
    const space = Space.configure(spaces.get('darts-cnn'), { channels, layers });
    const network = buildSupernet(space, imageShape(settings));
    const { normal, reduce } = network.architectureParameters();
    const train = randomImages(settings);
    const validation = randomImages(settings);
    const start = {
      normal,
      reduce,
      'train.images': train.images,
      'train.labels': train.labels,
      'validation.images': validation.images,
      'validation.labels': validation.labels,
    };
    saveTensors(startFile, new Map([...network.stateDict(), ...Object.entries(start)]));
    network.to({ memoryFormat: 'channels_last' });
    for (const batch of [train, validation])
      batch.images = batch.images.to({ memoryFormat: 'channels_last' });

    const alphas = [normal, reduce];
    const weights = network.parameters();
    const ofAlphas = new optim.Adam(alphas, {
      learningRate: alphaLearningRate,
      betas: [0.5, 0.999],
      weightDecay: 1e-3,
    });
    const ofWeights = new optim.SGD(weights, { learningRate, momentum, weightDecay });
    const lossOn = ({ images, labels }) => network.forward(images).crossEntropyLoss(labels);
    const problem = {
      weights,
      alphas,
      buffers: [...network.namedBuffers()].map(([, buffer]) => buffer),
      trainingLoss: () => lossOn(train),
      validationLoss: () => lossOn(validation),
    };
    const weightRule = { learningRate, momentum, nesterov: false, weightDecay, optimizer: ofWeights };

    const architectureStep = () =>
      scope(() => {
        const { loss, gradients } =
          order === 1 ? firstOrderGradient(problem) : secondOrderGradient(problem, weightRule);
        for (const [place, alpha] of alphas.entries()) alpha.grad = gradients[place];
        ofAlphas.step();
        ofAlphas.zeroGrad();
        return loss;
      });

    const weightStep = () =>
      scope(() => {
        const loss = lossOn(train);
        backward(loss);
        optim.clipGradientNorm(weights, 5);
        ofWeights.step();
        ofWeights.zeroGrad();
        return loss.item();
      });

    const learn = (what, required) => {
      for (const parameter of what) parameter.requiresGrad = required;
    };
    return () => {
      const validationLoss = architectureStep();
      learn(alphas, false);
      const trainingLoss = weightStep();
      learn(alphas, true);
      return [validationLoss, trainingLoss];
    };
  },
};
