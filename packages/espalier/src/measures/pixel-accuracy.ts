import type { Measure } from './measure.js';

/** The share of labelled pixels whose class gets the highest logit. */
export const pixelAccuracy: Measure = {
  name: 'pixelAccuracy',
  better: 'higher',
  least: 0,
  most: 1,
  shown: 'percent',
};
