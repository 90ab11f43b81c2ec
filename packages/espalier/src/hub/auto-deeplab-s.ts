import type { AutoDeepLab } from '../networks/auto-deeplab/architecture.js';
import type { PublishedArchitecture } from './published-architecture.js';

/** The path and the cell of figure 3, found on Cityscapes. */
const architecture: AutoDeepLab = {
  path: [0, 0, 0, 1, 2, 1, 2, 2, 3, 3, 2, 1],
  cell: [
    [1, 0, 'atrous_conv_5x5', 'sep_conv_3x3'],
    [1, 0, 'sep_conv_3x3', 'atrous_conv_3x3'],
    [3, 1, 'sep_conv_3x3', 'sep_conv_3x3'],
    [4, 2, 'sep_conv_5x5', 'sep_conv_5x5'],
    [3, 5, 'sep_conv_5x5', 'atrous_conv_5x5'],
  ],
};

/** Auto-DeepLab-S. The figures are for the 19 classes of Cityscapes. */
export const autoDeepLabS: PublishedArchitecture = {
  name: 'auto-deeplab-s',
  space: 'auto-deeplab',
  options: { filterMultiplier: 20 },
  architecture,
  source:
    'Liu et al. 2019, Auto-DeepLab: Hierarchical Neural Architecture Search for Semantic Image Segmentation, figure 3 and ' +
    'table 2; github.com/tensorflow/models, research/deeplab/core/nas_network.py, hnasnet',
  figures: {
    params: 10_147_427,
    published: '10.15M parameters, 333.25B multiply-adds, 79.74% mIOU on the Cityscapes validation set',
  },
};
