import { manualSeed, nn, noGrad, scope, setThreads, type Tensor } from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { images } from '../../src/network-kinds/images.js';
import { choose } from '../../src/space/language.js';
import { defineSpace, Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { zophCnn } from '../../src/spaces/zoph-cnn.js';

setThreads(1);

const shape = { channels: 3, height: 8, width: 6, classes: 5 };

/** Logits of 0: of the whole image, or of each pixel. */
class Zero extends nn.Layer {
  readonly conv = new nn.Conv2d(3, 5, 1, { bias: false });

  constructor(private readonly dense: boolean) {
    super();
    noGrad(() => this.conv.weight.zero_());
  }

  forward(image: Tensor): Tensor {
    const logits = this.conv.forward(image);
    return this.dense ? logits : logits.mean([2, 3]);
  }
}

describe('networks of images', () => {
  it('are for CIFAR-10, for ImageNet, or for what their space says, unless data tells', () => {
    const cifar = { channels: 3, height: 32, width: 32, classes: 10 };
    const imagenet = { channels: 3, height: 224, width: 224, classes: 1000 };
    expect(images.usualInput(Space.configure(zophCnn))).toEqual(cifar);
    expect(images.usualInput(Space.configure(dartsCnn))).toEqual(cifar);
    expect(images.usualInput(Space.configure(dartsCnn, { layout: 'imagenet' }))).toEqual(imagenet);
    const usualInput = { channels: 3, height: 321, width: 321, classes: 19 };
    const own = defineSpace({
      name: 'own',
      usualInput,
      *choices() {
        return { one: yield* choose('one', [1]) };
      },
    });
    expect(images.usualInput(Space.configure(own))).toEqual(usualInput);
  });

  it('have a picture and a description that begin with the image', () => {
    expect(images.describeInput(shape)).toBe('image (3 x 8 x 6)');
    expect(images.drawnInput?.(shape)).toEqual({ label: 'image', shape: [3, 8, 6] });
    expect([images.describeBatch(1), images.describeBatch(16)]).toEqual(['image', 'images']);
  });

  it('are traced from images to logits', () => {
    const network = new Zero(false);
    const { inputs, outputs } = images.trace(network, shape, 2);
    expect(inputs).toEqual({ image: { dtype: 'float32', shape: [2, 3, 8, 6] } });
    expect(Object.keys(outputs)).toEqual(['logits']);
    network.free();
  });

  it.each([
    ['images', false],
    ['pixels', true],
  ])('have a training step with the cross entropy over %s of random classes', (_, dense) => {
    const network = new Zero(dense);
    manualSeed(1);
    const step = images.trainingStep(network, shape, 2);
    // All classes are equally likely, whichever is right.
    expect(scope(() => step.loss().item())).toBeCloseTo(Math.log(5), 6);
    step.free();
    network.free();
  });
});
