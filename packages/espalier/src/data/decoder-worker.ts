/** The program of the decoder thread: decodes the images it is asked for, in that order, several at a time. */
import { availableParallelism } from 'node:os';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import {
  type DecoderJob,
  type DecoderRequest,
  type PairAnswer,
  type PairJob,
  type PairRequest,
  SlotState,
} from './decoder-request.js';
import { showImage } from './shown-image.js';
import { showPair } from './shown-pair.js';

/** Images decoded at a time. Each takes a thread of libuv, which has four by default. */
const AT_ONCE = Math.min(4, availableParallelism());

/** Work of a pass that may be over before it is begun. */
interface Waiting {
  readonly states: Int32Array<SharedArrayBuffer>;
  work(): Promise<void>;
}

const waiting: Waiting[] = [];
let working = 0;

parentPort?.on('message', (request: DecoderRequest | PairRequest) => {
  const { states } = request;
  if (request.for === 'images')
    for (const job of request.jobs) waiting.push({ states, work: () => decodeImage(request, job) });
  else for (const job of request.jobs) waiting.push({ states, work: () => decodePair(request, job) });
  while (working < AT_ONCE && waiting.length > 0) void work();
});

async function work(): Promise<void> {
  working++;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
    // The first state says whether the pass still goes on.
    if (Atomics.load(next.states, 0) === 0) await next.work();
  working--;
}

async function decodeImage(
  { pixels, states, slotBytes, showing }: DecoderRequest,
  { file, place, slot }: DecoderJob,
): Promise<void> {
  const bytes = new Uint8Array(pixels, slot * slotBytes, slotBytes);
  let state: number = SlotState.ready;
  try {
    const { pixels: shown, damaged } = await showImage(file, place, showing);
    bytes.set(shown);
    if (damaged) state = SlotState.readyButDamaged;
  } catch (error) {
    const reason = new TextEncoder().encode((error as Error).message).subarray(0, slotBytes);
    bytes.set(reason);
    state = -reason.length;
  }
  Atomics.store(states, slot + 1, state);
  Atomics.notify(states, slot + 1);
}

async function decodePair(
  { states, pass, showing }: PairRequest,
  { image, mask, place }: PairJob,
): Promise<void> {
  let answer: PairAnswer;
  try {
    answer = { pass, place, ...(await showPair(image, mask, place, showing)) };
  } catch (error) {
    answer = { pass, place, fault: (error as Error).message };
  }
  (workerData as MessagePort).postMessage(answer);
  Atomics.add(states, 1, 1);
  Atomics.notify(states, 1);
}
