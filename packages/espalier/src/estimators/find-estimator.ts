import { type FoundPart, findPart, hasFunctions } from '../modules/find-part.js';
import type { AnyEstimatorDefinition } from './estimator-definition.js';
import { estimators } from './estimator-names.js';

/** The estimator of a name, or of the file at a path. @throws InputError see `findPart` */
export function findEstimator(name: string, from: string): Promise<FoundPart<AnyEstimatorDefinition>> {
  return findPart(
    {
      what: 'estimator',
      known: estimators,
      isPart: (exported) => hasFunctions(exported, 'open'),
      example: 'export default defineEstimator({ name, open() { return { objectives, estimate() {...} } } })',
    },
    name,
    from,
  );
}
