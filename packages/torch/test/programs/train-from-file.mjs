// Trains from the weights in a file and reports the result. A child process gets FILE STEPS as arguments and prints JSON; a worker
// thread gets them in workerData and sends a message.
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

/** The elements of a handle of another thread, or the error, while this thread has as many tensors. */
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
