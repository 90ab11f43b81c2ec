/**
 * In which order the results of trials are taken, so that it does not depend on the clock: as if every epoch took the
 * same time on every worker. A trial begins when it is asked for, which is when the last result was taken, and lasts as
 * long as it has epochs to train. Of trials that end together the first one comes first; where all last equally long
 * that is the order of the trials.
 */
export class VirtualTime {
  #now = 0;
  /** In the order of the trials. */
  #running: { readonly trial: number; readonly ends: number }[] = [];

  /** The trials that have begun and not ended, in order. */
  get running(): readonly number[] {
    return this.#running.map(({ trial }) => trial);
  }

  /** The trial that ends next; undefined where none is running. */
  get next(): number | undefined {
    return this.#first()?.trial;
  }

  begin(trial: number, duration: number): void {
    this.#running.push({ trial, ends: this.#now + duration });
  }

  /** The next trial ends. */
  end(): void {
    const first = this.#first();
    if (first === undefined) throw new Error('no trial is running');
    this.#now = first.ends;
    this.#running = this.#running.filter((one) => one !== first);
  }

  #first() {
    const [begin, ...rest] = this.#running;
    return rest.reduce((first, one) => (first === undefined || one.ends < first.ends ? one : first), begin);
  }
}
