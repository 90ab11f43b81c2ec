/** Our side of a benchmark: reads its orders from stdin, one a line, and answers in JSON. */
import { createInterface } from 'node:readline';
import { setThreads } from '../../packages/torch/dist/index.js';

const { name, settings, threads, steps, checkedSteps, warmUpSteps, startFile } = JSON.parse(process.argv[2]);
const { default: benchmark } = await import(`../${name}.mjs`);
setThreads(threads);
const { step, flop } = benchmark.prepare(settings, startFile);
const losses = Array.from({ length: checkedSteps }, step);
for (let count = 0; count < warmUpSteps; count++) step();
answer({ losses, flop });

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
