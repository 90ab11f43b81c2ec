/** Our side of a benchmark: reads one command per line from stdin and answers in JSON. */
import { createInterface } from 'node:readline';
import { setThreads } from '../../packages/torch/dist/index.js';
import { loadBenchmark } from './load-benchmark.mjs';

const { name, settings, threads, steps, firstSteps, startFile } = JSON.parse(process.argv[2]);
setThreads(threads);
const step = (await loadBenchmark(name)).prepare(settings, startFile);
answer({ losses: Array.from({ length: firstSteps }, () => [step()].flat()) });

for await (const order of createInterface(process.stdin)) {
  if (order === 'end') {
    answer({ peakMb: process.resourceUsage().maxRSS / 1024 });
    break;
  }
  const start = performance.now();
  for (let count = 0; count < steps; count++) step();
  answer({ seconds: (performance.now() - start) / 1000 / steps });
}
process.stdin.destroy();

/** @param {unknown} value */
function answer(value) {
  console.log(JSON.stringify(value));
}
