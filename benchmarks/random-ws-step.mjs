/**
 * A step of random search with weight sharing (Li & Talwalkar 2019). Each step trains one random architecture within the
 * DARTS supernet. It should need no more memory than a standalone network of the architecture.
 */
import { buildNetwork, Space, spaces } from '../packages/espalier/dist/index.js';
import { Random } from '../packages/espalier/dist/random/random.js';
import { buildSupernet } from '../packages/espalier/dist/supernets/build-supernet.js';
import { backward, manualSeed, optim, saveTensors, scope } from '../packages/torch/dist/index.js';
import { imageShape, randomImages } from './driver/inputs.mjs';

/** @type {import('./driver/load-benchmark.mjs').Benchmark} */
export default {
  settings: {
    weights: 'shared',
    channels: 16,
    layers: 8,
    batch: 64,
    size: 32,
    classes: 10,
    learningRate: 0.025,
    architectures: 4,
  },
  checked: { learningRate: 1e-3 },
  unit: 'step',
  rounds: 3,
  steps: 4,
  layouts: ['default', 'channels_last'],
  targets: {},
  comparisons: { 'single networks': { weights: 'own' } },

  prepare(settings, startFile) {
    const { weights, channels, layers, learningRate, architectures: count } = settings;
    manualSeed(1);
    const space = Space.configure(spaces.get('darts-cnn'), { channels, layers, none: true });
    const random = Random.of(1, 'architectures');
    const architectures = Array.from({ length: count }, () => space.decode(space.sample(random)));
    const batch = randomImages(settings);
    const images = batch.images.to({ memoryFormat: 'channels_last' });

    const optimizerOf = (network) =>
      new optim.SGD(network.parameters(), { learningRate, momentum: 0.9, weightDecay: 3e-4 });
    const train = (network, forward, optimizer) =>
      scope(() => {
        const loss = forward().crossEntropyLoss(batch.labels);
        backward(loss);
        optim.clipGradientNorm(network.parameters(), 5);
        optimizer.step();
        optimizer.zeroGrad();
        return loss.item();
      });

    let steps = 0;
    const next = () => architectures[steps++ % count];
    if (weights === 'own')
      return () => {
        const network = buildNetwork(space, next(), imageShape(settings));
        network.to({ memoryFormat: 'channels_last' });
        const optimizer = optimizerOf(network);
        const loss = train(network, () => network.forward(images), optimizer);
        optimizer.free();
        network.free();
        return loss;
      };

    const supernet = buildSupernet(space, imageShape(settings));
    saveTensors(startFile, new Map([...supernet.stateDict(), ...Object.entries(batch)]), {
      architectures: JSON.stringify(architectures),
    });
    supernet.to({ memoryFormat: 'channels_last' });
    const optimizer = optimizerOf(supernet);
    return () => train(supernet, () => supernet.forwardPath(images, next()), optimizer);
  },
};
