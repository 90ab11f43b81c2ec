import type { ChannelStatistics } from './channel-statistics.js';

/** The statistics of a data set's training images with which published networks standardise its images. */
interface UsualStatistics extends ChannelStatistics {
  /** The name of the data set. */
  readonly of: string;
}

/** `CIFAR_MEAN` and `CIFAR_STD` in cnn/utils.py of github.com/quark0/darts. */
const cifar10: UsualStatistics = {
  of: 'CIFAR-10',
  mean: Float64Array.of(0.49139968, 0.48215827, 0.44653124),
  standardDeviation: Float64Array.of(0.24703233, 0.24348505, 0.26158768),
};

/** From cnn/train_imagenet.py of github.com/quark0/darts; PyTorch's examples have the same. */
export const imagenet: UsualStatistics = {
  of: 'ImageNet',
  mean: Float64Array.of(0.485, 0.456, 0.406),
  standardDeviation: Float64Array.of(0.229, 0.224, 0.225),
};

/** The statistics of the data set for which the networks of a layout are published. */
export function usualStatistics(layout: 'cifar' | 'imagenet'): UsualStatistics {
  return layout === 'imagenet' ? imagenet : cifar10;
}
