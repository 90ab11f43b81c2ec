import { InputError } from '../input-error.js';
import type { JournalEvent } from './journal-event.js';

/** The folder in which a run was begun. The relative paths in its settings are relative to it. */
export function folderBegunIn({ clock }: JournalEvent, path: string): string {
  if (typeof clock?.cwd !== 'string')
    throw new InputError(`${path}: the journal does not say in which folder the run was begun`);
  return clock.cwd;
}
