import { nn, type Tensor } from '@espalier/torch';
import { channelStatistics } from '../../src/data/statistics.js';
import { Random } from '../../src/random/random.js';
import { ImageClassification } from '../../src/tasks/image-classification/image-classification.js';
import type { OpenedImages } from '../../src/tasks/image-classification/open-images.js';
import {
  type ImageTrainingOptions,
  imageTrainingOptions,
} from '../../src/tasks/image-classification/training-options.js';
import { tinySet } from '../data/tiny-set.js';

/** Images of 4x4 pixels in three classes: the brighter, the higher; `count` of them. */
function images(count: number, seed: number) {
  const random = Random.of(seed, 'tiny images');
  const labels = Array.from({ length: count }, (_, i) => i % 3);
  const pixels = labels.flatMap((label) => Array.from({ length: 16 }, () => 60 * label + random.below(90)));
  return tinySet([count, 4, 4, 1], pixels, labels);
}

const train = images(22, 1);

/** 22 training images, 9 to validate, 12 to test; moved and mirrored in training. */
export const tinyTask: OpenedImages = {
  train,
  validation: images(9, 2),
  test: images(12, 3),
  classes: ['dark', 'grey', 'bright'],
  statistics: channelStatistics(train),
  augmentation: { crop: { from: 'padded', margin: 1 }, flip: true },
  shape: { channels: 1, height: 4, width: 4, classes: 3 },
  checksum: () => 'tiny',
  resized: false,
  notes: [],
};

/** Convolution, normalisation and dropout: weights, statistics and random numbers that a training must keep. */
class TinyNetwork extends nn.Layer {
  readonly conv = new nn.Conv2d(1, 4, 3, { padding: 1, bias: false });
  readonly bn = new nn.BatchNorm2d(4);
  readonly dropout = new nn.Dropout(0.3);
  readonly classifier = new nn.Linear(4, 3);

  forward(input: Tensor): Tensor {
    const features = this.bn.forward(this.conv.forward(input)).relu().adaptiveAvgPool2d(1).flatten(1);
    return this.classifier.forward(this.dropout.forward(features));
  }
}

export const tinyNetwork = () => new TinyNetwork();

/** Five steps an epoch on the tiny task, the last of two images. */
export const settingsOf = (given: Partial<ImageTrainingOptions> = {}): ImageTrainingOptions =>
  imageTrainingOptions.parse({ epochs: 3, batchSize: 5, learningRate: 0.05, ...given });

/** The tiny task with its loss. */
export const classify = (settings: ImageTrainingOptions = settingsOf()) =>
  new ImageClassification(tinyTask, settings);
