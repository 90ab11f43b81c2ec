import { autoDeepLabS } from './auto-deeplab-s.js';
import type { PublishedArchitecture } from './published-architecture.js';

/** Auto-DeepLab-M: the architecture of Auto-DeepLab-S with filter multiplier 32. */
export const autoDeepLabM: PublishedArchitecture = {
  ...autoDeepLabS,
  name: 'auto-deeplab-m',
  options: { filterMultiplier: 32 },
  figures: {
    params: 21_622_451,
    published: '21.62M parameters, 460.93B multiply-adds, 80.04% mIOU on the Cityscapes validation set',
  },
};
