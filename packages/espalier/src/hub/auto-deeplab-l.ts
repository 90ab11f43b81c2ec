import { autoDeepLabS } from './auto-deeplab-s.js';
import type { PublishedArchitecture } from './published-architecture.js';

/** Auto-DeepLab-L: the architecture of Auto-DeepLab-S with filter multiplier 48. */
export const autoDeepLabL: PublishedArchitecture = {
  ...autoDeepLabS,
  name: 'auto-deeplab-l',
  options: { filterMultiplier: 48 },
  figures: {
    params: 44_424_691,
    published: '44.42M parameters, 695.03B multiply-adds, 80.33% mIOU on the Cityscapes validation set',
  },
};
