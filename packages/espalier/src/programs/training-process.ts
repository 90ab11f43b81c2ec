/** The program of a process that trains a network with others on this machine, led by the process that has started it. */
import { Meeting, setThreads } from '@espalier/torch';
import type { ProcessInit } from '../experiments/processes.js';
import { prepareBegunTraining } from '../experiments/training-run.js';
import { serve } from '../runs/child-worker.js';
import { requireDevice } from '../tasks/device.js';
import { followTraining } from '../training/follow-training.js';
import { Peers } from '../training/peers.js';
import '../index.js';

serve(async (init, { threads, device = 'cpu' }) => {
  const { path, data, epochs, file, processes, timeoutSeconds } = init as unknown as ProcessInit;
  setThreads(threads);
  requireDevice(device);
  const prepared = await prepareBegunTraining(path, {
    data: data ?? undefined,
    epochs: epochs ?? undefined,
    device,
  });
  return ({ trial: rank }) => {
    const place = Meeting.at({ file }, timeoutSeconds);
    try {
      const group = place.join(rank, processes.count, '127.0.0.1', device);
      followTraining(prepared, new Peers(group, processes.syncBatchNorm));
      return null;
    } finally {
      place.leave();
    }
  };
});
