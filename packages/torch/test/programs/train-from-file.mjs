// Trains from the weights in a file and reports what came out. As a child process: arguments FILE STEPS, the report as
// JSON on stdout. As a worker thread: the same in workerData, the report as a message.
import { createHash } from 'node:crypto';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { liveTensors, loadTensors, ones, scope, setThreads, Tensor } from '../../dist/index.js';
import { smallNetwork, train } from './small-network.mjs';

const { file, steps, foreign } = isMainThread
  ? { file: process.argv[2], steps: Number(process.argv[3]), foreign: undefined }
  : workerData;

setThreads(1);
const network = smallNetwork();
scope(() => network.loadStateDict(loadTensors(file).tensors));
const losses = train(network, steps);
const hash = createHash('sha256');
for (const [name, value] of network.stateDict()) hash.update(name).update(value.toTypedArray());

/** What comes of a handle of another thread, while this one has as many tensors. */
function useOf(handle) {
  try {
    return new Tensor(handle).toNumbers();
  } catch (error) {
    return error.message;
  }
}

const report = {
  losses,
  weights: hash.digest('hex'),
  liveTensors: liveTensors(),
  handle: ones([1]).handle,
  foreign: foreign === undefined ? null : useOf(foreign),
};
if (isMainThread) console.log(JSON.stringify(report));
else parentPort.postMessage(report);
