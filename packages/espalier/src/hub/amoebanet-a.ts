import type { NasnetArchitecture } from '../networks/nasnet/architecture.js';
import type { PublishedArchitecture } from './published-architecture.js';

/**
 * The blocks in the order of the authors' code, with its concatenations. These include states that other blocks read as
 * well.
 */
const architecture: NasnetArchitecture = {
  normal: {
    blocks: [
      { inputs: [0, 0], operations: ['avg_pool_3x3', 'max_pool_3x3'], combine: 'add' },
      { inputs: [1, 1], operations: ['sep_conv_3x3', 'skip_connect'], combine: 'add' },
      { inputs: [0, 1], operations: ['skip_connect', 'avg_pool_3x3'], combine: 'add' },
      { inputs: [0, 2], operations: ['sep_conv_3x3', 'sep_conv_5x5'], combine: 'add' },
      { inputs: [5, 0], operations: ['avg_pool_3x3', 'sep_conv_3x3'], combine: 'add' },
    ],
    concat: [1, 3, 4, 6],
  },
  reduction: {
    blocks: [
      { inputs: [1, 0], operations: ['sep_conv_3x3', 'avg_pool_3x3'], combine: 'add' },
      { inputs: [0, 2], operations: ['max_pool_3x3', 'sep_conv_7x7'], combine: 'add' },
      { inputs: [1, 0], operations: ['max_pool_3x3', 'max_pool_3x3'], combine: 'add' },
      { inputs: [4, 0], operations: ['sep_conv_3x3', 'conv_1x7_7x1'], combine: 'add' },
      { inputs: [1, 0], operations: ['avg_pool_3x3', 'sep_conv_7x7'], combine: 'add' },
    ],
    concat: [2, 3, 4, 5, 6],
  },
};

/** AmoebaNet-A with N = 6 and F = 36, for CIFAR-10. F is the number of filters of the convolutions in the first stage. */
export const amoebanetA: PublishedArchitecture = {
  name: 'amoebanet-a',
  space: 'nasnet',
  options: { cells: 6, channels: 36, normalKeeps: [1], reductionKeeps: [2, 4] },
  architecture,
  source:
    'Real et al. 2019, Regularized Evolution for Image Classifier Architecture Search, figure 5, tables 1 and 2; ' +
    'https://github.com/tensorflow/tpu/tree/master/models/official/amoeba_net (model_specs.py, network_utils.py)',
  figures: {
    params: 3_218_266,
    published: '3.2M parameters, 3.34% error on CIFAR-10',
  },
};
