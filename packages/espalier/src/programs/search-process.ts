/** The program of a process that trains a supernet with others on this machine, led by the process that has started it. */
import { Meeting } from '@espalier/torch';
import type { ProcessInit } from '../experiments/processes.js';
import { prepareBegunSearch } from '../experiments/supernet-run.js';
import { serve } from '../runs/child-worker.js';
import { Peers } from '../training/peers.js';
import '../index.js';

serve(async (init, { device = 'cpu' }) => {
  const { path, data, file, processes, timeoutSeconds } = init as unknown as ProcessInit;
  const train = await prepareBegunSearch(path, data ?? undefined, device);
  return ({ trial: rank }) => {
    const place = Meeting.at({ file }, timeoutSeconds);
    try {
      const group = place.join(rank, processes.count, '127.0.0.1', device);
      train(new Peers(group, processes.syncBatchNorm));
      return null;
    } finally {
      place.leave();
    }
  };
});
