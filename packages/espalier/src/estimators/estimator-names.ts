import type { AnyEstimatorDefinition } from './estimator-definition.js';
import { table } from './table.js';
import { training } from './training.js';

/** The estimators in the box. */
export const estimators: ReadonlyMap<string, AnyEstimatorDefinition> = new Map(
  [training, table].map((definition) => [definition.name, definition as AnyEstimatorDefinition]),
);
