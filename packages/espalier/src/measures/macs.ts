import type { Measure } from './measure.js';

/** Multiply-adds of convolutions and linear layers for one input. */
export const macs: Measure = { name: 'macs', better: 'lower', least: 0, shown: 'count' };
