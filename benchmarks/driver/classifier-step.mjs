import { backward, manualSeed, optim, saveTensors, scope } from '../../packages/torch/dist/index.js';
import { randomImages } from './inputs.mjs';

/**
 * Prepares the training step of a classifier: stochastic gradient descent on the cross-entropy. With `auxiliaryWeight`, the
 * weighted loss of the auxiliary head is added. With `clip`, gradients are clipped.
 *
 * @param {() => any} build builds the network
 * @param {any} architecture the architecture for PyTorch's side; undefined if the settings determine the network
 * @param {any} settings contains `learningRate`, and `dropPath` if the network supports it, and `device`
 * @param {{ weightDecay: number, nesterov?: boolean, clip?: number, auxiliaryWeight?: number }} training
 * @param {string} startFile
 * @returns {import('./load-benchmark.mjs').Step}
 */
export function classifierStep(build, architecture, settings, training, startFile) {
  manualSeed(1);
  const network = build();
  const { images: rows, labels } = randomImages(settings);
  saveTensors(
    startFile,
    new Map([...network.stateDict(), ['images', rows], ['labels', labels]]),
    architecture === undefined ? {} : { architecture: JSON.stringify(architecture) },
  );
  const { learningRate, dropPath, device = 'cpu' } = settings;
  network.to({ memoryFormat: 'channels_last', device });
  const images = rows.to({ memoryFormat: 'channels_last', device });
  const classes = labels.to({ device });
  const { auxiliaryWeight, clip, ...descent } = training;
  if (dropPath !== undefined) network.dropPathProbability = dropPath;
  const parameters = network.parameters();
  const optimizer = new optim.SGD(parameters, { ...descent, learningRate, momentum: 0.9 });

  const loss = () => {
    if (auxiliaryWeight === undefined) return network.forward(images).crossEntropyLoss(classes);
    const { logits, auxiliary } = network.forwardWithAuxiliary(images);
    return logits
      .crossEntropyLoss(classes)
      .add(auxiliary.crossEntropyLoss(classes), { alpha: auxiliaryWeight });
  };
  return () =>
    scope(() => {
      const value = loss();
      backward(value);
      if (clip !== undefined) optim.clipGradientNorm(parameters, clip);
      optimizer.step();
      optimizer.zeroGrad();
      return value.item();
    });
}
