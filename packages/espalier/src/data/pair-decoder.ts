import { join } from 'node:path';
import { InputError } from '../input-error.js';
import { warnOfDamage } from './damage-warning.js';
import type { PairAnswer, PairJob, PairRequest } from './decoder-request.js';
import { AHEAD, closeInbox, decoder, openInbox, takeAnswers, waitFor } from './decoder-thread.js';
import type { MaskedImages } from './masked-images.js';
import type { PairShowing, ShownPair } from './shown-pair.js';

/** Where the number of answers stands among the states. */
const POSTED = 1;

/**
 * One pass over images with masks, pair by pair. A separate thread decodes ahead. Waiting for it blocks the event loop, as
 * a training step does.
 */
export class PairPass {
  readonly #set: MaskedImages;
  readonly #order: Int32Array;
  readonly #places: Int32Array;
  readonly #request: Omit<PairRequest, 'jobs'>;
  readonly #ahead: number;
  readonly #answers = new Map<number, PairAnswer>();
  #received = 0;
  #asked = 0;
  #taken = 0;

  /**
   * @param order the indices of the images of a pass
   * @param places the places in this order of the images that are shown
   * @param size of a batch, in images
   */
  constructor(set: MaskedImages, order: Int32Array, places: Int32Array, size: number, showing: PairShowing) {
    this.#set = set;
    this.#order = order;
    this.#places = places;
    this.#ahead = size * (1 + AHEAD);
    this.#request = {
      for: 'pairs',
      states: new Int32Array(new SharedArrayBuffer(8)),
      pass: openInbox(),
      showing,
    };
    this.#ask();
  }

  /**
   * Takes the next pair; undefined at the end. Warns of a damaged image that could be decoded.
   *
   * @throws InputError with the path of a file that cannot be decoded, or that does not fit
   */
  next(): ShownPair | undefined {
    const place = this.#places[this.#taken];
    if (place === undefined) return undefined;
    const { states, pass } = this.#request;
    const file = join(this.#set.folder, this.#jobAt(place).image);
    while (!this.#answers.has(place)) {
      waitFor(states, POSTED, this.#received, file);
      for (const answer of takeAnswers(pass)) {
        this.#received++;
        this.#answers.set(answer.place, answer);
      }
    }
    const answer = this.#answers.get(place) as PairAnswer;
    this.#answers.delete(place);
    this.#taken++;
    this.#ask();
    if ('fault' in answer) throw new InputError(answer.fault);
    if (answer.damaged) warnOfDamage(file);
    return answer;
  }

  /** Ends the pass: the thread decodes none of the images that are left. */
  close(): void {
    const { states, pass } = this.#request;
    Atomics.store(states, 0, 1);
    closeInbox(pass);
  }

  #jobAt(place: number): PairJob {
    const index = this.#order[place] as number;
    const { images, masks } = this.#set;
    return { image: images[index] as string, mask: masks[index] as string, place };
  }

  #ask(): void {
    const jobs: PairJob[] = [];
    const end = Math.min(this.#places.length, this.#taken + this.#ahead);
    for (; this.#asked < end; this.#asked++) jobs.push(this.#jobAt(this.#places[this.#asked] as number));
    if (jobs.length > 0) decoder().postMessage({ ...this.#request, jobs } satisfies PairRequest);
  }
}
