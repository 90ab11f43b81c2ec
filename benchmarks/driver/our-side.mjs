/** Our side of a benchmark: reads one command per line from stdin and answers in JSON. */
import { createInterface } from 'node:readline';
import { deviceMemory, scope, setThreads, zeros } from '../../packages/torch/dist/index.js';
import { loadBenchmark } from './load-benchmark.mjs';

const { name, settings, threads, steps, firstSteps, startFile } = JSON.parse(process.argv[2]);
const { device = 'cpu' } = settings;
setThreads(threads);
const step = (await loadBenchmark(name)).prepare(settings, startFile);
answer({ losses: Array.from({ length: firstSteps }, () => [step()].flat()) });

for await (const order of createInterface(process.stdin)) {
  if (order === 'end') {
    answer({
      peakMb: device === 'cpu' ? process.resourceUsage().maxRSS / 1024 : deviceMemory(device).peak / 2 ** 20,
    });
    break;
  }
  waitForDevice();
  const start = performance.now();
  for (let count = 0; count < steps; count++) step();
  waitForDevice();
  answer({ seconds: (performance.now() - start) / 1000 / steps });
}
process.stdin.destroy();

/** A GPU computes in order, so a value that is read waits for everything before it. */
function waitForDevice() {
  if (device !== 'cpu') scope(() => zeros([1], { device }).item());
}

/** @param {unknown} value */
function answer(value) {
  console.log(JSON.stringify(value));
}
