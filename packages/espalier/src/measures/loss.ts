import type { Measure } from './measure.js';

/** The mean loss over a part of the data, in the task's own unit. */
export const loss: Measure = { name: 'loss', better: 'lower' };
