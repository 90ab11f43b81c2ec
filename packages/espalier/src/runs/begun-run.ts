import { InputError } from '../input-error.js';
import { readJournal } from './journal.js';
import type { JournalEvent } from './journal-event.js';
import { RunFolder } from './run-folder.js';

/** The word that a run's journal begins with: what kind of run it is. @throws InputError where there is no run */
export function kindOfRun(path: string): string {
  const [begin] = readJournal(RunFolder.open(path).journal).events as [JournalEvent];
  return begin.event;
}

/** The folder that a run was begun in, where the relative paths of its settings begin. */
export function folderBegunIn({ clock }: JournalEvent, path: string): string {
  if (typeof clock?.cwd !== 'string')
    throw new InputError(`${path}: the journal does not say in which folder the run was begun`);
  return clock.cwd;
}
