/** When a trial is taken to hang, where nobody has said how long one may take. */
export interface HangSettings {
  /** Times the median of the others. */
  readonly factor: number;
  /** A trial may take so long in any case. */
  readonly leastSeconds: number;
  /** Trials that must have ended before. */
  readonly after: number;
}

/** Children of a space differ in size, but hardly that much. */
export const USUAL_HANG: HangSettings = { factor: 20, leastSeconds: 60, after: 5 };

/** A limit of time that follows from how long other trials took. */
export class TimeLimit {
  /** Seconds for each unit of work, ascending. */
  readonly #paces: number[] = [];

  constructor(readonly settings: HangSettings) {}

  /** A trial has ended well. @param work such as its epochs */
  add(seconds: number, work: number): void {
    const pace = seconds / work;
    const place = this.#paces.findIndex((other) => other > pace);
    this.#paces.splice(place < 0 ? this.#paces.length : place, 0, pace);
  }

  /** Seconds that a trial of so much work may take; undefined as long as too few have ended. */
  of(work: number): number | undefined {
    const { factor, leastSeconds, after } = this.settings;
    if (this.#paces.length < after) return undefined;
    const median = this.#paces[Math.floor((this.#paces.length - 1) / 2)] as number;
    return Math.max(leastSeconds, factor * median * work);
  }
}
