import type { Measure } from './measure.js';

/** Parameters of a network, scale and shift of batch norm included, an auxiliary head not. */
export const params: Measure = { name: 'params', better: 'lower', least: 0, shown: 'count' };
