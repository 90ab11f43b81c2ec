// A small convolutional network and its training, for the other programs. They use the built package, as users do.
import { backward, fromTypedArray, nn, optim, scope, tensor } from '../../dist/index.js';

export function smallNetwork() {
  return new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(4, 4, 3, { padding: 1, groups: 4 }),
    new nn.Conv2d(4, 8, 1),
    new nn.ReLU(),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(8, 3),
  ).to({ memoryFormat: 'channels_last' });
}

/** Trains on images and labels that depend on nothing but the step; returns the loss of every step. */
export function train(network, steps) {
  const optimizer = new optim.SGD(network.parameters(), {
    learningRate: 0.05,
    momentum: 0.9,
    nesterov: true,
    weightDecay: 1e-4,
  });
  const losses = [];
  for (let step = 0; step < steps; step++) losses.push(trainStep(network, optimizer, step));
  optimizer.free();
  return losses;
}

export function trainStep(network, optimizer, step) {
  return scope(() => {
    const pixels = Float32Array.from({ length: 4 * 8 * 8 }, (_, index) =>
      Math.sin(index * (1 + (step % 7)) + step),
    );
    const images = fromTypedArray(pixels, [4, 1, 8, 8]).to({ memoryFormat: 'channels_last' });
    const labels = tensor([0, 1, 2, step % 3], 'int64');
    const loss = network.forward(images).crossEntropyLoss(labels);
    backward(loss);
    optim.clipGradientNorm(network.parameters(), 5);
    optimizer.step();
    optimizer.zeroGrad();
    return loss.item();
  });
}
