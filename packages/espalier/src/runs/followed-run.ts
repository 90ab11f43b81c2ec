import { AMENDED } from './amendments.js';
import type { JournalEvent } from './journal-event.js';
import { DIFFERENCE } from './run-state.js';

/** The run that a search repeats, until the two diverge. Places are lines of the journal, which both have had so far. */
export class FollowedRun {
  #events: readonly JournalEvent[];

  /** @param message says to the user that the runs have diverged */
  constructor(
    events: readonly JournalEvent[],
    private readonly message: (text: string) => void,
  ) {
    // Whether a late attempt came to something else is not for another run to repeat.
    this.#events = events.filter(({ event }) => event !== DIFFERENCE);
  }

  at(place: number): JournalEvent | undefined {
    return this.#events[place];
  }

  /** The change of the search that comes at a place; undefined where there is none. */
  amendmentAt(place: number): JournalEvent | undefined {
    const event = this.at(place);
    return event?.event === AMENDED ? event : undefined;
  }

  /** The trial whose result comes next, from a place on. */
  nextResult(place: number): number | undefined {
    for (let at = place; at < this.#events.length; at++) {
      const { event, trial } = this.#events[at] as JournalEvent;
      if (event === 'result') return trial as number;
    }
    return undefined;
  }

  /** Follows the run no further. */
  diverge(how: string): void {
    this.#events = [];
    this.message(`${how}: the runs have diverged, and from here on results are told as they arrive`);
  }
}
