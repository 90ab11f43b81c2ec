import type { PublishedArchitecture } from './published-architecture.js';

export const ashaCnn: PublishedArchitecture = {
  name: 'asha-cnn',
  space: 'darts-cnn',
  options: { channels: 36, layers: 20, none: true },
  architecture: {
    normal: [
      ['skip_connect', 1],
      ['dil_conv_3x3', 0],
      ['sep_conv_3x3', 1],
      ['skip_connect', 0],
      ['none', 1],
      ['max_pool_3x3', 0],
      ['skip_connect', 1],
      ['dil_conv_3x3', 0],
    ],
    normal_concat: [2, 3, 4, 5],
    reduce: [
      ['max_pool_3x3', 1],
      ['avg_pool_3x3', 0],
      ['sep_conv_5x5', 1],
      ['skip_connect', 2],
      ['max_pool_3x3', 3],
      ['none', 1],
      ['skip_connect', 0],
      ['sep_conv_5x5', 4],
    ],
    reduce_concat: [2, 3, 4, 5],
  },
  source:
    'Li & Talwalkar 2019, Random Search and Reproducibility for Neural Architecture Search (arXiv 1902.07638), random ' +
    'search with early stopping (ASHA), CIFAR-10; genotype: ASHA200 in cnn/genotypes.py of github.com/liamcli/darts',
  figures: {
    params: 2243206,
    macs: 352794240,
    published: 'CIFAR-10: test error 3.03 ± 0.13 %, best 2.85 %; 2.2M parameters',
  },
};
