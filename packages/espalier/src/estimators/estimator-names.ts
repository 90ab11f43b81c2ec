import type { AnyEstimatorDefinition } from './estimator-definition.js';
import { training } from './training.js';

/** The estimators in the box. */
export const estimators: ReadonlyMap<string, AnyEstimatorDefinition> = new Map(
  [training].map((definition) => [definition.name, definition as AnyEstimatorDefinition]),
);
