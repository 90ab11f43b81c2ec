import { InputError } from '../input-error.js';
import type { Strategy } from '../strategies/strategy.js';
import type { Journal } from './journal.js';
import type { JournalEvent } from './journal-event.js';
import { type Asking, readSnapshot, writeSnapshot } from './snapshot.js';

const EVERY_MS = 1000;

/** Between two snapshots, the search does something else for this many times as long as the last one took. */
const PAUSE = 30;

/** The snapshots that a search takes, and the one from which it resumes. */
export class SearchSnapshots {
  /** The line of the journal to which the last snapshot belongs, and when it was taken. */
  #at = 0;
  #taken = performance.now();
  #ms = 0;

  constructor(
    private readonly file: string,
    private readonly journal: Journal,
    private readonly strategy: Strategy,
    private readonly strategyName: string,
    /** See `SearchOptions.snapshotEvery`. */
    private readonly every: number | undefined,
  ) {}

  /**
   * Restores the snapshot, if there is one that belongs to this journal.
   *
   * @param apply takes the events before it
   * @returns whether the strategy may be asked; undefined if nothing was restored
   * @throws InputError if the strategy cannot resume from it
   */
  restore(apply: (event: JournalEvent) => void, message: (text: string) => void): Asking | undefined {
    const { file, journal } = this;
    if (!journal.replaying || this.strategy.restore === undefined) return undefined;
    const replays = `the ${journal.recorded.length} lines of the journal are replayed, which only takes longer`;
    let reason = 'there is none';
    const snapshot = readSnapshot(file, (unusable) => {
      reason = unusable;
    });
    if (snapshot === undefined) {
      message(`${file}: no snapshot to resume from (${reason}); ${replays}`);
      return undefined;
    }
    const from = journal.position;
    if (!journal.skipTo(snapshot.events, snapshot.journal)) {
      message(`${file}: the snapshot belongs to another journal; ${replays}`);
      return undefined;
    }
    for (const event of journal.recorded.slice(from, journal.position)) apply(event);
    try {
      this.strategy.restore(snapshot.strategy);
    } catch (error) {
      throw new InputError(
        `${file}: the strategy ${this.strategyName} cannot resume from this snapshot: ${(error as Error).message}. ` +
          'Delete the file to replay the journal instead',
      );
    }
    this.#at = journal.position;
    return snapshot.asking;
  }

  /**
   * Whether it is time for another.
   *
   * @param told results so far
   * @param hasEvents whether the last one made the strategy say something
   */
  isDue(told: number, hasEvents: boolean): boolean {
    if (this.every !== undefined) return hasEvents || told % this.every === 0;
    return performance.now() - this.#taken >= Math.max(EVERY_MS, PAUSE * this.#ms);
  }

  take(asking: Asking): void {
    const { position: events, digest } = this.journal;
    if (events === this.#at || this.strategy.snapshot === undefined) return;
    const begun = performance.now();
    writeSnapshot(this.file, { events, journal: digest, asking, strategy: this.strategy.snapshot() });
    this.#at = events;
    this.#taken = performance.now();
    this.#ms = this.#taken - begun;
  }
}
