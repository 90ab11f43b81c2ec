import { z } from 'zod';
import { optionValues } from '../space/options.js';
import { taskSettings } from '../tasks/task-settings.js';

/** What a worker process is told when it starts: names, checksums and plain settings, never code. */
export const workerInit = z.strictObject({
  space: z.string(),
  /** Of the code of a user's space and task. A worker that starts later must not take what was edited meanwhile. */
  spaceChecksum: z.string().optional(),
  taskChecksum: z.string().optional(),
  /** Of the data, where it may be other than that of the search: on another machine. */
  dataChecksum: z.string().optional(),
  spaceOptions: optionValues,
  /** With paths from the root. */
  task: taskSettings,
  training: optionValues,
  /** The folder that the path of the space begins at. */
  folder: z.string(),
});

export type WorkerInit = z.infer<typeof workerInit>;
