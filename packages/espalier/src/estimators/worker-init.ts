import type { Json } from '../json.js';
import type { TaskSettings } from '../tasks/task-settings.js';

/** What a worker process is told when it starts. */
export interface WorkerInit {
  readonly space: string;
  /** Of the code of a user's space and task. A worker that starts later must not take what was edited meanwhile. */
  readonly spaceChecksum?: string | undefined;
  readonly taskChecksum?: string | undefined;
  readonly spaceOptions: Readonly<Record<string, Json>>;
  /** With paths from the root. */
  readonly task: TaskSettings;
  readonly training: Readonly<Record<string, Json>>;
  /** The folder that the path of the space begins at. */
  readonly folder: string;
}
