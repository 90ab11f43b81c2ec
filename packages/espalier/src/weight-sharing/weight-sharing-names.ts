import { autoDeepLabSearch } from './auto-deeplab.js';
import { darts } from './darts.js';
import type { AnyWeightSharingDefinition } from './definition.js';
import { gdas } from './gdas.js';
import { randomWeightSharing } from './random-ws.js';

/** The built-in strategies that share weights. */
export const weightSharing: ReadonlyMap<string, AnyWeightSharingDefinition> = new Map(
  [darts, gdas, randomWeightSharing, autoDeepLabSearch].map((definition) => [
    definition.name,
    definition as AnyWeightSharingDefinition,
  ]),
);
