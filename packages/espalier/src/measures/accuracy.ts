import type { Measure } from './measure.js';

/** The share of inputs whose class gets the highest logit. */
export const accuracy: Measure = { name: 'accuracy', better: 'higher', least: 0, most: 1, shown: 'percent' };
