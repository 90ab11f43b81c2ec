/** The program of the decoder thread: decodes the images it is asked for, in that order, several at a time. */
import { availableParallelism } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { type DecoderJob, type DecoderRequest, SlotState } from './decoder-request.js';
import { showImage } from './shown-image.js';

/** Images decoded at a time. Each takes a thread of libuv, which has four by default. */
const AT_ONCE = Math.min(4, availableParallelism());

const waiting: { readonly request: DecoderRequest; readonly job: DecoderJob }[] = [];
let working = 0;

parentPort?.on('message', (request: DecoderRequest) => {
  for (const job of request.jobs) waiting.push({ request, job });
  while (working < AT_ONCE && waiting.length > 0) void work();
});

async function work(): Promise<void> {
  working++;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { request, job } = next;
    const { pixels, states, slotBytes, showing } = request;
    // The first state says whether the pass still goes on.
    if (Atomics.load(states, 0) !== 0) continue;
    const slot = new Uint8Array(pixels, job.slot * slotBytes, slotBytes);
    let state: number = SlotState.ready;
    try {
      const { pixels: shown, damaged } = await showImage(job.file, job.place, showing);
      slot.set(shown);
      if (damaged) state = SlotState.readyButDamaged;
    } catch (error) {
      const reason = new TextEncoder().encode((error as Error).message).subarray(0, slotBytes);
      slot.set(reason);
      state = -reason.length;
    }
    Atomics.store(states, job.slot + 1, state);
    Atomics.notify(states, job.slot + 1);
  }
  working--;
}
