import { type FoundPart, findPart, hasFunctions } from '../modules/find-part.js';
import type { AnyTaskDefinition } from './task-definition.js';
import { tasks } from './task-names.js';

/** The task of a name, or of the file at a path. @throws InputError see `findPart` */
export function findTask(name: string, from: string): Promise<FoundPart<AnyTaskDefinition>> {
  return findPart(
    {
      what: 'task',
      known: tasks,
      isPart: (exported) => hasFunctions(exported, 'open', 'predict'),
      example: 'export default defineTask({ name, networks, measures, training, open, predict, ... })',
    },
    name,
    from,
  );
}
