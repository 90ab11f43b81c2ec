/** The program of a worker process: trains one child network after the other. */
import { setThreads } from '@espalier/torch';
import { measureTrial } from '../estimators/measure-trial.js';
import type { WorkerInit } from '../estimators/worker-init.js';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { ImportGraph } from '../modules/import-graph.js';
import { serve } from '../runs/child-worker.js';
import { memoryInUse } from '../runs/memory-in-use.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { requireDevice } from '../tasks/device.js';
import { openTraining } from '../training/opened-training.js';
import '../index.js';

serve(async (init, { threads, device }) => {
  const {
    space: name,
    spaceChecksum,
    spaceOptions,
    task,
    taskChecksum,
    dataChecksum,
    training,
    folder,
  } = init as unknown as WorkerInit;
  setThreads(threads);
  if (device !== undefined) requireDevice(device);
  const { definition, graph } = await findSpace(name, folder);
  requireSame('space', spaceChecksum, graph);
  const space = Space.configure(definition, spaceOptions);
  const opened = await openTraining(task, device === undefined ? training : { ...training, device });
  requireSame('task', taskChecksum, opened.graph);
  if (dataChecksum !== undefined && opened.data.checksum() !== dataChecksum)
    throw new InputError(`the data ${task.data} is other data than that of the search`);
  return async (request, progress) => {
    const outcome = await measureTrial(opened, space, request, progress);
    // It follows from what this process has trained before, too.
    const memory = [memoryInUse(opened.settings.device)] as unknown as Json;
    return { ...outcome, clock: { ...outcome.clock, memory } };
  };
});

/** @throws InputError for a file that was edited since the search loaded it: a child would be of another space */
function requireSame(what: string, checksum: string | undefined, graph: ImportGraph | undefined): void {
  if (checksum === graph?.checksum) return;
  throw new InputError(
    `the ${what}'s file ${graph?.entry} was edited while the search was at work, and a worker that starts now would take ` +
      'what it is now; put back what it was, then resume with --retry-failed',
  );
}
