import { existsSync } from 'node:fs';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { ImportGraph } from '../modules/import-graph.js';
import { placeOfPart } from '../modules/kept-code.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { type TaskSettings, taskIn } from '../tasks/task-settings.js';

/** A begun run, and where what its settings name is found now. */
export interface RunPlace {
  /** Its folder. */
  readonly run: string;
  /** The folder that relative paths of its settings begin at. */
  readonly from: string;
  /** Whether it is only read, or goes on. */
  readonly use: 'read' | 'go on';
  /** Where its data is now, `kind:path` from the working folder, if not where the settings say. */
  readonly data?: string | undefined;
}

/** What the settings of a run say of its space. */
interface SpaceSettings {
  readonly space: string;
  readonly spaceChecksum?: string | undefined;
  readonly spaceOptions: Readonly<Record<string, Json>>;
}

/** The path of a user's part of a run, or the name of one in the box; see `placeOfPart`. */
export function partNow(what: string, name: string, checksum: string | undefined, place: RunPlace): string {
  return placeOfPart(what, name, place.from, { run: place.run, checksum, use: place.use });
}

/** The space of a run with its options, and the code of a user's. @throws InputError see `placeOfPart` */
export async function spaceNow(
  { space: name, spaceChecksum, spaceOptions }: SpaceSettings,
  place: RunPlace,
): Promise<{ readonly space: Space; readonly code?: ImportGraph }> {
  const { definition, graph } = await findSpace(partNow('space', name, spaceChecksum, place), place.from);
  const space = Space.configure(definition, spaceOptions);
  return graph === undefined ? { space } : { space, code: graph };
}

/** The task of a run with paths from the root, as they are now. @throws InputError see `placeOfPart` */
export function taskNow(task: TaskSettings, place: RunPlace): TaskSettings {
  const own = { ...task, name: partNow('task', task.name, task.checksum, place) };
  const now = taskIn(place.from, own);
  return place.data === undefined
    ? now
    : { ...now, data: taskIn(process.cwd(), { ...own, data: place.data }).data };
}

/** Opens the data of a run that goes on. @throws InputError that says how to name another place, where it is not there */
export async function openedNow<T>(
  task: TaskSettings | undefined,
  place: RunPlace,
  open: () => Promise<T>,
): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const [, path] = /:(.*)$/s.exec(task?.data ?? '') ?? [];
    const isGone = path !== undefined && !existsSync(path);
    if (!(error instanceof InputError) || place.data !== undefined || !isGone) throw error;
    throw new InputError(`${error.message}; where the data of ${place.run} is now, --data KIND:PATH says`);
  }
}

/** @throws InputError where the data is not what it was when the run was begun */
export function requireSameData(
  before: string | undefined,
  now: string | undefined,
  name: string | undefined,
  { run, data }: RunPlace,
): void {
  if (before === now) return;
  throw new InputError(
    data === undefined
      ? `the data ${name} has changed since the run was begun; a run that goes on would not be the same`
      : `--data ${data}: not the data of ${run}: its checksum is another`,
  );
}
