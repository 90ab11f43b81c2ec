import { existsSync } from 'node:fs';
import { InputError } from '../input-error.js';
import type { JournalEvent } from './journal-event.js';

/**
 * The folder that the relative paths in a run's settings begin at: the one in which it was begun, or the working folder
 * where that is gone. What is found there must have the checksum that the settings say.
 */
export function folderBegunIn({ clock }: JournalEvent, path: string): string {
  if (typeof clock?.cwd !== 'string')
    throw new InputError(`${path}: the journal does not say in which folder the run was begun`);
  return existsSync(clock.cwd) ? clock.cwd : process.cwd();
}
