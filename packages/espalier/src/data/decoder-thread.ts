import { createRequire } from 'node:module';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { PairAnswer } from './decoder-request.js';

/** Batches that are decoded ahead of the one that is trained on. */
export const AHEAD = 2;
/** Longer than any disk takes. After that time it is an error; without a limit the program would hang. */
const PATIENCE_MS = 300_000;

interface DecoderThread {
  readonly worker: Worker;
  /** Where it posts its answers. */
  readonly port: MessagePort;
}

/** One thread for the whole process. It does not keep the process alive. */
let thread: DecoderThread | undefined;

function decoderThread(): DecoderThread {
  if (thread === undefined) {
    const { port1: port, port2: theirs } = new MessageChannel();
    // Always the compiled program: a thread cannot run TypeScript.
    const program = createRequire(import.meta.url).resolve('#decoder-worker');
    const worker = new Worker(program, { workerData: theirs, transferList: [theirs] });
    worker.unref();
    thread = { worker, port };
  }
  return thread;
}

export function decoder(): Worker {
  return decoderThread().worker;
}

/** The posted answers of the passes that are open, each by the pass's number and the place in it. */
const inboxes = new Map<number, PairAnswer[]>();
let passes = 0;

/** @returns the number of a pass whose answers are kept until it is closed */
export function openInbox(): number {
  const pass = passes++;
  inboxes.set(pass, []);
  return pass;
}

export function closeInbox(pass: number): void {
  inboxes.delete(pass);
}

/** Takes what the thread has posted for a pass since the last time. */
export function takeAnswers(pass: number): readonly PairAnswer[] {
  const { port } = decoderThread();
  for (
    let received = receiveMessageOnPort(port);
    received !== undefined;
    received = receiveMessageOnPort(port)
  ) {
    const answer = received.message as PairAnswer;
    inboxes.get(answer.pass)?.push(answer);
  }
  return inboxes.get(pass)?.splice(0) ?? [];
}

/**
 * Waits until the decoder thread has changed a state.
 *
 * @param file for messages
 */
export function waitFor(
  states: Int32Array<SharedArrayBuffer>,
  index: number,
  before: number,
  file: string,
): void {
  if (Atomics.wait(states, index, before, PATIENCE_MS) === 'timed-out')
    throw new Error(`${file}: the decoder has not answered for ${PATIENCE_MS / 1000} s`);
}
