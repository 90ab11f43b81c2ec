import { setImmediate } from 'node:timers/promises';

/** Turns of the event loop after which a search has done all that it can do without another result. */
const TURNS = 4;

/** A clock of its own, on which trials take as long as a test says. Time passes only while nothing else happens. */
export class FakeClock {
  #now = 0;
  readonly #sleeping: { readonly ends: number; readonly wake: () => void }[] = [];

  sleep(duration: number): Promise<void> {
    return new Promise((wake) => {
      this.#sleeping.push({ ends: this.#now + duration, wake });
    });
  }

  /** Lets time pass until `work` is done. Of those that sleep equally long the first wakes first. */
  async until<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const finish = () => {
      done = true;
    };
    work.then(finish, finish);
    for (;;) {
      for (let turn = 0; turn < TURNS; turn++) await setImmediate();
      if (done) return work;
      const ends = Math.min(...this.#sleeping.map((one) => one.ends));
      const next = this.#sleeping.findIndex((one) => one.ends === ends);
      if (next < 0) continue;
      this.#now = ends;
      this.#sleeping.splice(next, 1)[0]?.wake();
    }
  }
}
