// Trains for WARM-UP steps and then STEPS more; prints how much the process and its number of tensors grew in the latter.
import { liveTensors, manualSeed, optim, setThreads } from '../../dist/index.js';
import { smallNetwork, trainStep } from './small-network.mjs';

const [warmUp, steps] = process.argv.slice(2).map(Number);
setThreads(1);
manualSeed(1);
const network = smallNetwork();
const optimizer = new optim.AdamW(network.parameters(), { learningRate: 1e-3, weightDecay: 1e-4 });

const counts = new Set();
function run(from, to) {
  for (let step = from; step < to; step++) {
    trainStep(network, optimizer, step);
    if (step >= warmUp) counts.add(liveTensors());
  }
  return { rss: process.memoryUsage.rss(), tensors: liveTensors() };
}

const before = run(0, warmUp);
const after = run(warmUp, warmUp + steps);
console.log(
  JSON.stringify({
    grownBytes: after.rss - before.rss,
    grownTensors: after.tensors - before.tensors,
    counts: [...counts],
  }),
);
