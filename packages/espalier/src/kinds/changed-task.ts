import { resolve } from 'node:path';
import { type TaskSettings, taskIn } from '../tasks/task-settings.js';

/** The task of a search that is begun again: its seed goes with that of the search, where it was the same. */
export function changedTask(
  { checksum: _, ...task }: TaskSettings,
  before: number,
  seed: number,
  from: string | undefined,
): TaskSettings {
  const own = task.seed === before ? { ...task, seed } : task;
  return from === undefined ? own : taskIn(resolve(from), own);
}
