import type { NasnetArchitecture } from '../networks/nasnet/architecture.js';
import type { PublishedArchitecture } from './published-architecture.js';

/**
 * The blocks in the order of the authors' code, with its concatenations. The normal cell also concatenates the earlier of
 * its two inputs, and the reduction cell a block, although other blocks read them. "6 @ 768" is 6 states of 128 filters.
 */
export const nasnetACells: NasnetArchitecture = {
  normal: {
    blocks: [
      { inputs: [0, 1], operations: ['sep_conv_5x5', 'sep_conv_3x3'], combine: 'add' },
      { inputs: [1, 1], operations: ['sep_conv_5x5', 'sep_conv_3x3'], combine: 'add' },
      { inputs: [0, 1], operations: ['avg_pool_3x3', 'skip_connect'], combine: 'add' },
      { inputs: [1, 1], operations: ['avg_pool_3x3', 'avg_pool_3x3'], combine: 'add' },
      { inputs: [0, 0], operations: ['sep_conv_3x3', 'skip_connect'], combine: 'add' },
    ],
    concat: [1, 2, 3, 4, 5, 6],
  },
  reduction: {
    blocks: [
      { inputs: [0, 1], operations: ['sep_conv_5x5', 'sep_conv_7x7'], combine: 'add' },
      { inputs: [0, 1], operations: ['max_pool_3x3', 'sep_conv_7x7'], combine: 'add' },
      { inputs: [0, 1], operations: ['avg_pool_3x3', 'sep_conv_5x5'], combine: 'add' },
      { inputs: [3, 2], operations: ['skip_connect', 'avg_pool_3x3'], combine: 'add' },
      { inputs: [2, 0], operations: ['sep_conv_3x3', 'max_pool_3x3'], combine: 'add' },
    ],
    concat: [3, 4, 5, 6],
  },
};

/** NASNet-A (6 @ 768), for CIFAR-10. */
export const nasnetA: PublishedArchitecture = {
  name: 'nasnet-a',
  space: 'nasnet',
  options: { cells: 6, filters: 768, normalKeeps: [1], reductionKeeps: [3] },
  architecture: nasnetACells,
  source:
    'Zoph et al. 2018, Learning Transferable Architectures for Scalable Image Recognition, figure 4, tables 1 to 3; ' +
    'https://github.com/tensorflow/models/tree/master/research/slim/nets/nasnet (nasnet_utils.py)',
  figures: {
    params: 3_346_538,
    published: '3.3M parameters, 3.41% error on CIFAR-10 (2.65% with cutout)',
  },
};
