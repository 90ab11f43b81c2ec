import { type FoundPart, findPart, hasFunctions } from '../modules/find-part.js';
import type { AnyStrategyDefinition } from '../strategies/strategy.js';
import { strategies } from '../strategies/strategy-names.js';
import type { AnyWeightSharingDefinition } from '../weight-sharing/definition.js';
import { weightSharing } from '../weight-sharing/weight-sharing-names.js';

/** A strategy that trains each child by itself, or one that shares weights. */
export type AnyStrategy = AnyStrategyDefinition | AnyWeightSharingDefinition;

export const allStrategies: ReadonlyMap<string, AnyStrategy> = new Map<string, AnyStrategy>([
  ...strategies,
  ...weightSharing,
]);

/** Whether a strategy trains one supernet instead of children. */
export function sharesWeights(strategy: AnyStrategy): strategy is AnyWeightSharingDefinition {
  return 'sharesWeights' in strategy;
}

/** The strategy of a name, or of the file at a path. @throws InputError see `findPart` */
export function findStrategy(name: string, from: string): Promise<FoundPart<AnyStrategy>> {
  return findPart(
    {
      what: 'strategy',
      known: allStrategies,
      isPart: (exported) => hasFunctions(exported, 'create'),
      example: 'export default defineStrategy({ name, create({ space, seed }) {...} })',
    },
    name,
    from,
  );
}
