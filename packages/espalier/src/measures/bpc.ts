import type { Measure } from './measure.js';

/** Bits per character: the mean loss of a character, to the base of 2. The ends of lines count as characters. */
export const bpc: Measure = { name: 'bpc', better: 'lower', least: 0 };
