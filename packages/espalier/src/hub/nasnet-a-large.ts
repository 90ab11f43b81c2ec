import { nasnetACells } from './nasnet-a.js';
import type { PublishedArchitecture } from './published-architecture.js';

/** NASNet-A (6 @ 4032), the large network for ImageNet. */
export const nasnetALarge: PublishedArchitecture = {
  name: 'nasnet-a-large',
  space: 'nasnet',
  options: {
    cells: 6,
    filters: 4032,
    layout: 'imagenet',
    stemFilters: 96,
    skipReductionInput: true,
    dropout: 0.5,
    normalKeeps: [1],
    reductionKeeps: [3],
  },
  input: { channels: 3, height: 331, width: 331, classes: 1000 },
  architecture: nasnetACells,
  source:
    'Zoph et al. 2018, Learning Transferable Architectures for Scalable Image Recognition, figure 4, table 2; ' +
    'https://github.com/tensorflow/models/tree/master/research/slim/nets/nasnet (nasnet.py, large_imagenet_config)',
  figures: {
    params: 88_753_150,
    macs: 23_783_414_658,
    published: '88.9M parameters, 23.8B multiply-adds, top-1 accuracy 82.7% on ImageNet at 331 pixels',
  },
};
