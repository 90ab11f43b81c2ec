/** The program of a worker process: does searches in a table. */
import { setThreads } from '@espalier/torch';
import { type BenchInit, type BenchJob, type BenchJobDone, openBench } from '../experiments/bench-run.js';
import { serve } from '../runs/child-worker.js';
import '../index.js';

serve<BenchJob, BenchJobDone>(async (init, { threads }) => {
  const { request, folder } = init as unknown as BenchInit;
  setThreads(threads);
  const { search } = await openBench(request, folder);
  return ({ strategy, from, to }) => {
    const searches = [];
    const seconds = [];
    for (let run = from; run < to; run++) {
      const begun = performance.now();
      searches.push(search(strategy, run));
      seconds.push((performance.now() - begun) / 1000);
    }
    return { searches, seconds };
  };
});
