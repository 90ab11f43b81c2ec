import { type FoundPart, findPart, hasFunctions } from '../modules/find-part.js';
import type { AnySpaceDefinition } from '../space/space.js';
import { spaces } from './space-names.js';

/** The space of a name, or of the file at a path. @throws InputError see `findPart` */
export function findSpace(name: string, from: string): Promise<FoundPart<AnySpaceDefinition>> {
  return findPart(
    {
      what: 'space',
      known: spaces,
      isPart: (exported) => hasFunctions(exported, 'choices'),
      example: 'export default defineSpace({ name, *choices() {...} })',
    },
    name,
    from,
  );
}
