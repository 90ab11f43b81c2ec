/** A trial that is running. */
interface RunningTrial {
  readonly trial: number;
  readonly ends: number;
}

/**
 * An order of results that does not depend on the clock. It assumes that every epoch takes the same time on every
 * worker. A trial begins when it is asked for, which is when the last result was told, and lasts as long as the epochs
 * that it trains. Of trials that end at the same time, the one asked for first comes first. If all trials are equally
 * long, this is the order in which they were asked for.
 */
export class VirtualTime {
  #now = 0;
  /** The running trials, in the order in which they were asked for. */
  readonly #running = new Map<number, RunningTrial>();

  /** The running trials, in the order in which they were asked for. */
  get running(): readonly number[] {
    return [...this.#running.keys()];
  }

  /** The trial that ends next; undefined if none is running. */
  get next(): number | undefined {
    let first: RunningTrial | undefined;
    for (const one of this.#running.values()) if (first === undefined || one.ends < first.ends) first = one;
    return first?.trial;
  }

  isRunning(trial: number): boolean {
    return this.#running.has(trial);
  }

  /** @param duration number of epochs that the trial trains */
  begin(trial: number, duration: number): void {
    this.#running.set(trial, { trial, ends: this.#now + duration });
  }

  /** Ends a trial: the next one, or another one that took less time than its epochs suggest. */
  end(trial: number): void {
    const ended = this.#running.get(trial);
    if (ended === undefined) throw new Error(`trial ${trial} is not running`);
    this.#now = Math.max(this.#now, ended.ends);
    this.#running.delete(trial);
  }
}
