import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { warnOfDamage } from './damage-warning.js';
import { type DecoderJob, type DecoderRequest, SlotState } from './decoder-request.js';
import { AHEAD, decoder, waitFor } from './decoder-thread.js';
import type { ImagesInFiles } from './image-dataset.js';
import type { Showing } from './shown-image.js';

/** A slot has room for an error message, however small the images are. */
const LEAST_SLOT = 1024;

/**
 * One pass over image files, batch by batch. A separate thread decodes ahead. Waiting for it blocks the event loop, as a
 * training step does.
 */
export class DecodingPass {
  /** The batch that `next` took: bytes [size, height, width, 3]. */
  readonly images: Uint8Array;
  readonly #set: ImagesInFiles;
  readonly #order: Int32Array;
  readonly #places: Int32Array;
  readonly #request: Omit<DecoderRequest, 'jobs'>;
  readonly #slots: number;
  #asked = 0;
  #taken = 0;

  /**
   * @param order the indices of the images of a pass
   * @param places the places in this order of the images that are shown
   * @param size of a batch, in images
   */
  constructor(
    set: ImagesInFiles,
    order: Int32Array,
    places: Int32Array,
    size: number,
    random?: Showing['random'],
  ) {
    const { folder, height, width, channels } = set;
    const imageBytes = height * width * channels;
    const slotBytes = Math.max(imageBytes, LEAST_SLOT);
    this.#set = set;
    this.#order = order;
    this.#places = places;
    this.#slots = Math.min(places.length, size * (1 + AHEAD));
    this.#request = {
      for: 'images',
      pixels: new SharedArrayBuffer(this.#slots * slotBytes),
      states: new Int32Array(new SharedArrayBuffer(4 * (this.#slots + 1))),
      slotBytes,
      showing: { folder, height, width, ...(random === undefined ? {} : { random }) },
    };
    this.images = new Uint8Array(Math.min(size, places.length) * imageBytes);
    this.#ask();
  }

  /**
   * Takes the next `count` images. Warns of a damaged file that could be decoded.
   *
   * @throws InputError for a file that cannot be decoded
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
        throw new InputError(`${file}: ${reason}`);
      }
      if (state === SlotState.readyButDamaged) warnOfDamage(file);
      this.images.set(new Uint8Array(pixels, slot * slotBytes, imageBytes), i * imageBytes);
    }
    this.#ask();
  }

  /** Ends the pass: the thread decodes none of the images that are left. */
  close(): void {
    Atomics.store(this.#request.states, 0, 1);
  }

  #fileAt(shown: number): string {
    return this.#set.files[this.#order[this.#places[shown]!]!]!;
  }

  /** Asks for the next images, one for each free slot. */
  #ask(): void {
    const jobs: DecoderJob[] = [];
    const end = Math.min(this.#places.length, this.#taken + this.#slots);
    for (; this.#asked < end; this.#asked++) {
      const slot = this.#asked % this.#slots;
      Atomics.store(this.#request.states, slot + 1, SlotState.waiting);
      jobs.push({ file: this.#fileAt(this.#asked), place: this.#places[this.#asked]!, slot });
    }
    if (jobs.length > 0) decoder().postMessage({ ...this.#request, jobs });
  }
}

/** Waits for a slot. @returns its state, once it is decoded */
function stateOf(states: Int32Array<SharedArrayBuffer>, slot: number, file: string): number {
  waitFor(states, slot + 1, SlotState.waiting, file);
  return Atomics.load(states, slot + 1);
}
