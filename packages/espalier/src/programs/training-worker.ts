/** The program of a worker process: trains one child network after the other. */
import { setThreads } from '@espalier/torch';
import { measureTrial } from '../estimators/measure-trial.js';
import type { WorkerInit } from '../estimators/worker-init.js';
import { serve } from '../runs/child-worker.js';
import { Space } from '../space/space.js';
import { findSpace } from '../spaces/find-space.js';
import { requireDevice } from '../tasks/device.js';
import { openTraining } from '../training/opened-training.js';
import '../index.js';

serve(async (init, { threads, device }) => {
  const { space: name, spaceOptions, task, training, folder } = init as unknown as WorkerInit;
  setThreads(threads);
  if (device !== undefined) requireDevice(device);
  const space = Space.configure((await findSpace(name, folder)).definition, spaceOptions);
  const opened = await openTraining(task, device === undefined ? training : { ...training, device });
  return (request, progress) => measureTrial(opened, space, request, progress);
});
