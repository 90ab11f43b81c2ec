import { InputError } from '../input-error.js';
import type { Space } from '../space/space.js';

/** What the networks of a space read where the space does not say. */
export const DEFAULT_READS = 'images';

/** @throws InputError where the networks of a space read something else */
export function requireReads({ name, definition }: Space, reads: string): void {
  const its = definition.reads ?? DEFAULT_READS;
  if (its !== reads) throw new InputError(`space ${name}: its networks read ${its}; needed here: ${reads}`);
}
