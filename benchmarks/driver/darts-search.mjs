/** What the benchmarks of a search with DARTS share: both steps of algorithm 1 on any supernet. */
import {
  firstOrderGradient,
  secondOrderGradient,
} from '../../packages/espalier/dist/weight-sharing/architecture-gradient.js';
import { backward, optim, saveTensors, scope } from '../../packages/torch/dist/index.js';
import { randomImages } from './inputs.mjs';

const momentum = 0.9;
const weightDecay = 3e-4;

/**
 * @param {*} network the supernet
 * @param {{ order?: number, learningRate: number, alphaLearningRate: number, device?: string }} settings and those of the images
 * @param {string} startFile for the weights, the architecture parameters and the images
 * @returns {() => number[]} a step, which gives the losses on validation and training data
 */
export function prepareSearch(network, settings, startFile) {
  const { order = 1, learningRate, alphaLearningRate, device = 'cpu' } = settings;
  const named = network.architectureParameters();
  const train = randomImages(settings);
  const validation = randomImages(settings);
  const start = {
    ...named,
    'train.images': train.images,
    'train.labels': train.labels,
    'validation.images': validation.images,
    'validation.labels': validation.labels,
  };
  saveTensors(startFile, new Map([...network.stateDict(), ...Object.entries(start)]));
  network.to({ memoryFormat: 'channels_last', device });
  for (const batch of [train, validation]) {
    batch.images = batch.images.to({ memoryFormat: 'channels_last', device });
    batch.labels = batch.labels.to({ device });
  }

  const alphas = Object.values(named);
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
}
