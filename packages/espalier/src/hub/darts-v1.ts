import type { PublishedArchitecture } from './published-architecture.js';

export const dartsV1: PublishedArchitecture = {
  name: 'darts-v1',
  space: 'darts-cnn',
  options: { channels: 36, layers: 20 },
  architecture: {
    normal: [
      ['sep_conv_3x3', 1],
      ['sep_conv_3x3', 0],
      ['skip_connect', 0],
      ['sep_conv_3x3', 1],
      ['skip_connect', 0],
      ['sep_conv_3x3', 1],
      ['sep_conv_3x3', 0],
      ['skip_connect', 2],
    ],
    normal_concat: [2, 3, 4, 5],
    reduce: [
      ['max_pool_3x3', 0],
      ['max_pool_3x3', 1],
      ['skip_connect', 2],
      ['max_pool_3x3', 0],
      ['max_pool_3x3', 0],
      ['skip_connect', 2],
      ['skip_connect', 2],
      ['avg_pool_3x3', 0],
    ],
    reduce_concat: [2, 3, 4, 5],
  },
  source:
    'Liu, Simonyan & Yang 2018, DARTS: Differentiable Architecture Search (arXiv 1806.09055), first order, table 1; ' +
    'genotype: DARTS_V1 in cnn/genotypes.py of github.com/quark0/darts',
  figures: {
    params: 3169414,
    macs: 500987520,
    published: 'CIFAR-10: test error 3.00 ± 0.14 % with cutout; 3.3M parameters (the genotype has 3.17M)',
  },
};
