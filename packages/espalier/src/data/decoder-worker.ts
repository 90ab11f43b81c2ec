/** The program of the decoder's thread: makes the images of files, some at once, in the order in which they are asked for. */
import { availableParallelism } from 'node:os';
import { parentPort } from 'node:worker_threads';
import type { DecoderJob, DecoderRequest } from './decoder.js';
import { showImage } from './shown-image.js';

/** Images at once; the work on each is in a thread of libuv, of which there are four where nobody says otherwise. */
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
    // The first state says whether anybody still waits for the pass.
    if (Atomics.load(states, 0) !== 0) continue;
    const slot = new Uint8Array(pixels, job.slot * slotBytes, slotBytes);
    let state = 1;
    try {
      slot.set(await showImage(job.file, job.place, showing));
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
