import type { ChannelStatistics } from './channel-statistics.js';

/** Statistics of a data set's training images, by which the field's published networks read its images. */
interface UsualStatistics extends ChannelStatistics {
  readonly of: string;
}

/** `CIFAR_MEAN` and `CIFAR_STD` in cnn/utils.py of github.com/quark0/darts. */
const cifar10: UsualStatistics = {
  of: 'CIFAR-10',
  mean: Float64Array.of(0.49139968, 0.48215827, 0.44653124),
  standardDeviation: Float64Array.of(0.24703233, 0.24348505, 0.26158768),
};

/** In cnn/train_imagenet.py of github.com/quark0/darts, as in PyTorch's own examples. */
export const imagenet: UsualStatistics = {
  of: 'ImageNet',
  mean: Float64Array.of(0.485, 0.456, 0.406),
  standardDeviation: Float64Array.of(0.229, 0.224, 0.225),
};

/** Of the data set that a layout's networks are published for. */
export function usualStatistics(layout: 'cifar' | 'imagenet'): UsualStatistics {
  return layout === 'imagenet' ? imagenet : cifar10;
}
