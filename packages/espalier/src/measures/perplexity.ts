import type { Measure } from './measure.js';

/** The exponential of the mean loss of a token, in nats. */
export const perplexity: Measure = { name: 'perplexity', better: 'lower', least: 1, shown: 'hundredths' };
