import {
  cat,
  fromTypedArray,
  nn,
  noGrad,
  ones,
  randn,
  scope,
  setThreads,
  type Tensor,
} from '@espalier/torch';
import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../src/networks/build-network.js';
import type { Network } from '../../src/networks/network.js';
import { classify } from '../../src/prediction/classify.js';
import { loadWeights } from '../../src/prediction/weights.js';
import { Space } from '../../src/space/space.js';
import { dartsCnn } from '../../src/spaces/darts-cnn.js';
import { fixtureGenotype, pytorchFixture } from './pytorch-fixture.js';

setThreads(1);

const PAIR = { channels: 2, height: 1, width: 1, classes: 2 };

/** Two channels to two logits as they are, so that a test sees what happens to them. */
const plain = (): Network => new nn.Flatten();

const pair = (...values: number[]): Tensor =>
  fromTypedArray(Float32Array.from(values), [values.length / 2, 2, 1, 1]);

describe('the prediction of images', () => {
  it.each([
    ['cifar', 16],
    ['imagenet', 32],
  ] as const)("has PyTorch's logits: layout %s", (layout, size) => {
    scope(() => {
      const { state, tensor } = pytorchFixture(`darts-${layout}`);
      const shape = { channels: 3, height: size, width: size, classes: 5 };
      const space = Space.configure(dartsCnn, { layout, channels: 2, layers: 6 });
      const network = buildNetwork(space, fixtureGenotype(), shape);
      loadWeights(network, state, layout);
      const { logits, classes, probabilities } = classify(network, tensor('images'), shape);
      const expected = tensor('logits');
      expect(logits.map((row) => row.length)).toEqual([5, 5]);
      for (const [i, value] of expected.toNumbers().entries()) expect(logits.flat()[i]).toBeCloseTo(value, 5);
      expect(classes).toEqual(expected.argmax(1).toNumbers());
      for (const [i, value] of expected.softmax(1).toNumbers().entries())
        expect(probabilities.flat()[i]).toBeCloseTo(value, 5);
      network.free();
    });
  });

  it('gives the softmax of the logits and the first class with the highest', () => {
    scope(() => {
      const { classes, probabilities } = classify(plain(), pair(0, Math.log(3), 2, 2), PAIR);
      expect(classes).toEqual([1, 0]);
      for (const [i, value] of [0.25, 0.75, 0.5, 0.5].entries())
        expect(probabilities.flat()[i]).toBeCloseTo(value, 7);
    });
  });

  it('runs the network in evaluation mode, on more images than fit into one batch', () => {
    scope(() => {
      const network = new nn.Sequential(new nn.BatchNorm2d(2), new nn.Dropout(0.5), new nn.Flatten());
      const images = cat([randn([70, 2, 1, 1], { dtype: 'float32' })], 0);
      const { logits } = classify(network, images, PAIR);
      const scale = 1 / Math.sqrt(1 + 1e-5);
      const expected = images.toNumbers();
      expect(logits.length).toBe(70);
      for (const [i, value] of logits.flat().entries()) expect(value).toBeCloseTo(expected[i]! * scale, 5);
    });
  });

  it('rejects images of another shape, a network with another output, and logits that are not finite', () => {
    scope(() =>
      noGrad(() => {
        expect(() => classify(plain(), ones([1, 3, 1, 1]), PAIR)).toThrow(
          'the images are a tensor [1,3,1,1]; allowed: [N, 2, 1, 1], N at least 1',
        );
        expect(() => classify(plain(), ones([0, 2, 1, 1]), PAIR)).toThrow(
          'the images are a tensor [0,2,1,1]',
        );
        expect(() => classify(new nn.Identity(), ones([3, 2, 1, 1]), PAIR)).toThrow(
          'the network makes a tensor [3,2,1,1] of the images [3,2,1,1]; to predict their classes it has to be [3, 2]',
        );
        expect(() => classify(plain(), pair(0, 1, 2, Number.POSITIVE_INFINITY), PAIR)).toThrow(
          'the network gives input 1 the logit Infinity for class 1',
        );
        expect(() => classify(plain(), pair(Number.NaN, 1), PAIR)).toThrow('the logit NaN for class 0');
      }),
    );
  });
});
