/**
 * A first-order search step of Auto-DeepLab (Liu et al. 2019, section 5.1). It updates the weights with the gradient of the
 * training loss, and then the architecture parameters with that of the validation loss. The paper uses 12 layers and crops
 * of 321x321.
 */
import { Space, spaces } from '../packages/espalier/dist/index.js';
import { buildSupernet } from '../packages/espalier/dist/supernets/build-supernet.js';
import {
  backward,
  grad,
  manualSeed,
  optim,
  randint,
  randn,
  saveTensors,
  scope,
} from '../packages/torch/dist/index.js';
import { imageShape } from './driver/inputs.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: {
    layers: 6,
    blocks: 5,
    filterMultiplier: 8,
    batch: 2,
    size: 129,
    classes: 19,
    learningRate: 0.025,
    alphaLearningRate: 3e-3,
    dropout: 0.1,
    recompute: false,
  },
  checked: { learningRate: 1e-4, alphaLearningRate: 0.01, dropout: 0 },
  unit: 'step',
  rounds: 3,
  steps: 2,
  layouts: ['default', 'channels_last'],
  targets: { channels_last: 2.5 },
  comparisons: { 'cells that are computed again': { recompute: true } },

  prepare(settings, startFile) {
    const { layers, blocks, filterMultiplier, learningRate, alphaLearningRate, recompute } = settings;
    manualSeed(1);
    const space = Space.configure(spaces.get('auto-deeplab'), { layers, blocks, filterMultiplier });
    const network = buildSupernet(space, imageShape(settings), { recompute });
    if (settings.dropout === 0) for (const { pyramid } of network.heads) pyramid.dropout.eval();
    const { cell, trellis } = network.architectureParameters();
    const train = randomScenes(settings);
    const validation = randomScenes(settings);
    const start = {
      alphas: cell,
      betas: trellis,
      'train.images': train.images,
      'train.labels': train.labels,
      'validation.images': validation.images,
      'validation.labels': validation.labels,
    };
    saveTensors(startFile, new Map([...network.stateDict(), ...Object.entries(start)]));
    network.to({ memoryFormat: 'channels_last' });
    for (const batch of [train, validation])
      batch.images = batch.images.to({ memoryFormat: 'channels_last' });

    const architecture = [cell, trellis];
    const weights = network.parameters();
    const ofArchitecture = new optim.Adam(architecture, {
      learningRate: alphaLearningRate,
      weightDecay: 1e-3,
    });
    const ofWeights = new optim.SGD(weights, { learningRate, momentum: 0.9, weightDecay: 3e-4 });
    const lossOn = ({ images, labels }) => network.forward(images).crossEntropyLoss(labels);

    const weightStep = () =>
      scope(() => {
        const loss = lossOn(train);
        backward(loss);
        ofWeights.step();
        ofWeights.zeroGrad();
        return loss.item();
      });

    const architectureStep = () =>
      scope(() => {
        const loss = lossOn(validation);
        for (const [place, gradient] of grad(loss, architecture).entries())
          architecture[place].grad = gradient;
        ofArchitecture.step();
        ofArchitecture.zeroGrad();
        return loss.item();
      });

    const learn = (required) => {
      for (const parameter of architecture) parameter.requiresGrad = required;
    };
    return () => {
      learn(false);
      const trainingLoss = weightStep();
      learn(true);
      return [trainingLoss, architectureStep()];
    };
  },
};

/** Random images with a class for each pixel. */
function randomScenes({ batch, size, classes }) {
  return { images: randn([batch, 3, size, size]), labels: randint(0, classes, [batch, size, size]) };
}
