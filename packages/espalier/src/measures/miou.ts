import type { Measure } from './measure.js';

/**
 * The mean over the classes of intersection over union, whose pixels are counted over a whole part of the data. Classes
 * that neither occur nor are predicted are left out.
 */
export const miou: Measure = { name: 'miou', better: 'higher', least: 0, most: 1, shown: 'percent' };
