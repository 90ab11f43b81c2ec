import { nasnetACells } from './nasnet-a.js';
import type { PublishedArchitecture } from './published-architecture.js';

/** NASNet-A (4 @ 1056), the mobile network for ImageNet. */
export const nasnetAMobile: PublishedArchitecture = {
  name: 'nasnet-a-mobile',
  space: 'nasnet',
  options: {
    cells: 4,
    filters: 1056,
    layout: 'imagenet',
    dropout: 0.5,
    normalKeeps: [1],
    reductionKeeps: [3],
  },
  architecture: nasnetACells,
  source:
    'Zoph et al. 2018, Learning Transferable Architectures for Scalable Image Recognition, figure 4, table 3; ' +
    'https://github.com/tensorflow/models/tree/master/research/slim/nets/nasnet (nasnet.py, mobile_imagenet_config)',
  figures: {
    params: 5_289_978,
    macs: 563_638_816,
    published: '5.3M parameters, 564M multiply-adds, top-1 accuracy 74.0% on ImageNet at 224 pixels',
  },
};
