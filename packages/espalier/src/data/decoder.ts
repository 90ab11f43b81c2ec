import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { InputError } from '../input-error.js';
import { IMAGE_FORMATS } from './decode-image.js';
import type { ImagesInFiles } from './image-dataset.js';
import type { Showing } from './shown-image.js';

/** An image that the decoder is asked for. */
export interface DecoderJob {
  readonly file: string;
  /** In the order of the pass. */
  readonly place: number;
  readonly slot: number;
}

export interface DecoderRequest {
  /** Slots of `slotBytes`, each for an image. */
  readonly pixels: SharedArrayBuffer;
  /**
   * First whether the pass is over (1), then of each slot: 0 while it is waited for, 1 when the image is there, and -n
   * where n bytes of text say why there is none.
   */
  readonly states: Int32Array<SharedArrayBuffer>;
  readonly slotBytes: number;
  readonly showing: Showing;
  readonly jobs: readonly DecoderJob[];
}

/** Where a reason must find room, however small the images are. */
const LEAST_SLOT = 1024;
/** Batches that are decoded while one is trained on. */
const AHEAD = 2;
/** More than any disk takes; what then happens is an error and not a program that stands still. */
const PATIENCE_MS = 300_000;

/** One thread for the process, which does not keep it alive. */
let worker: Worker | undefined;

function decoder(): Worker {
  if (worker === undefined) {
    // The compiled program, whoever runs this file: a thread cannot read TypeScript.
    worker = new Worker(createRequire(import.meta.url).resolve('#decoder-worker'));
    worker.unref();
  }
  return worker;
}

/**
 * One pass over image files, batch by batch, which a thread of its own decodes ahead. Waits for it without giving the
 * event loop a turn, as a training step does.
 */
export class DecodingPass {
  /** Of the batch that `next` took: bytes [size, height, width, 3]. */
  readonly images: Uint8Array;
  readonly #set: ImagesInFiles;
  readonly #order: Int32Array;
  readonly #request: Omit<DecoderRequest, 'jobs'>;
  readonly #slots: number;
  #asked = 0;
  #taken = 0;

  /**
   * @param order of the set's images, indices of those that the pass shows
   * @param size of a batch
   */
  constructor(set: ImagesInFiles, order: Int32Array, size: number, random?: Showing['random']) {
    const { folder, height, width, channels } = set;
    const imageBytes = height * width * channels;
    const slotBytes = Math.max(imageBytes, LEAST_SLOT);
    this.#set = set;
    this.#order = order;
    this.#slots = Math.min(order.length, size * (1 + AHEAD));
    this.#request = {
      pixels: new SharedArrayBuffer(this.#slots * slotBytes),
      states: new Int32Array(new SharedArrayBuffer(4 * (this.#slots + 1))),
      slotBytes,
      showing: { folder, height, width, ...(random === undefined ? {} : { random }) },
    };
    this.images = new Uint8Array(Math.min(size, order.length) * imageBytes);
    this.#ask();
  }

  /**
   * Takes the next `count` images.
   *
   * @throws InputError for a file that is no image
   */
  next(count: number): void {
    const { states, pixels, slotBytes } = this.#request;
    const { height, width, channels } = this.#set;
    const imageBytes = height * width * channels;
    for (let i = 0; i < count; i++, this.#taken++) {
      const slot = this.#taken % this.#slots;
      const file = join(this.#set.folder, this.#fileAt(this.#taken));
      const state = stateOf(states, slot, file);
      if (state < 0) {
        const reason = new TextDecoder().decode(new Uint8Array(pixels, slot * slotBytes, -state).slice());
        throw new InputError(`${file}: ${reason}; expected an image (${IMAGE_FORMATS})`);
      }
      this.images.set(new Uint8Array(pixels, slot * slotBytes, imageBytes), i * imageBytes);
    }
    this.#ask();
  }

  /** Ends the pass: what is not taken is not decoded any more. */
  close(): void {
    Atomics.store(this.#request.states, 0, 1);
  }

  #fileAt(place: number): string {
    return this.#set.files[this.#order[place]!]!;
  }

  /** Asks for as many images as there are slots whose image is taken. */
  #ask(): void {
    const jobs: DecoderJob[] = [];
    const end = Math.min(this.#order.length, this.#taken + this.#slots);
    for (; this.#asked < end; this.#asked++) {
      const slot = this.#asked % this.#slots;
      Atomics.store(this.#request.states, slot + 1, 0);
      jobs.push({ file: this.#fileAt(this.#asked), place: this.#asked, slot });
    }
    if (jobs.length > 0) decoder().postMessage({ ...this.#request, jobs });
  }
}

/** What became of a slot, once that is known. */
function stateOf(states: Int32Array<SharedArrayBuffer>, slot: number, file: string): number {
  if (Atomics.wait(states, slot + 1, 0, PATIENCE_MS) === 'timed-out')
    throw new Error(`${file}: the decoder has not answered for ${PATIENCE_MS / 1000} s`);
  return Atomics.load(states, slot + 1);
}
