import { accuracy } from './accuracy.js';
import { bpc } from './bpc.js';
import { loss } from './loss.js';
import { macs } from './macs.js';
import type { Measure } from './measure.js';
import { miou } from './miou.js';
import { params } from './params.js';
import { perplexity } from './perplexity.js';
import { pixelAccuracy } from './pixel-accuracy.js';

/** The measures in the box. Tasks and estimators may define others; their runs say what these are. */
export const measures: ReadonlyMap<string, Measure> = new Map(
  [accuracy, miou, pixelAccuracy, perplexity, bpc, loss, params, macs].map((measure) => [
    measure.name,
    measure,
  ]),
);
