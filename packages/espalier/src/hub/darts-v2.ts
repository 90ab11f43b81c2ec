import type { PublishedArchitecture } from './published-architecture.js';

export const dartsV2: PublishedArchitecture = {
  name: 'darts-v2',
  space: 'darts-cnn',
  options: { channels: 36, layers: 20 },
  architecture: {
    normal: [
      ['sep_conv_3x3', 0],
      ['sep_conv_3x3', 1],
      ['sep_conv_3x3', 0],
      ['sep_conv_3x3', 1],
      ['sep_conv_3x3', 1],
      ['skip_connect', 0],
      ['skip_connect', 0],
      ['dil_conv_3x3', 2],
    ],
    normal_concat: [2, 3, 4, 5],
    reduce: [
      ['max_pool_3x3', 0],
      ['max_pool_3x3', 1],
      ['skip_connect', 2],
      ['max_pool_3x3', 1],
      ['max_pool_3x3', 0],
      ['skip_connect', 2],
      ['skip_connect', 2],
      ['max_pool_3x3', 1],
    ],
    reduce_concat: [2, 3, 4, 5],
  },
  source:
    'Liu, Simonyan & Yang 2018, DARTS: Differentiable Architecture Search (arXiv 1806.09055), second order, tables 1 ' +
    'and 3, figures 4 and 5; genotype: DARTS_V2 in cnn/genotypes.py of github.com/quark0/darts',
  figures: {
    params: 3349342,
    macs: 528359040,
    published:
      'CIFAR-10: test error 2.76 ± 0.09 % with cutout, 3.3M parameters; ImageNet (channels 48, layers 14): ' +
      'top-1 error 26.7 %, 4.7M parameters, 574M multiply-adds',
  },
};
