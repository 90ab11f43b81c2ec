import type { TaskSettings } from '../tasks/task-settings.js';

/** The task of a search that is begun with another seed: its own goes with that of the search, where it was the same. */
export function changedTask(
  { checksum: _, ...task }: TaskSettings,
  before: number,
  seed: number,
): TaskSettings {
  return task.seed === before ? { ...task, seed } : task;
}
