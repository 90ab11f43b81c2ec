import { Child, ChildDeath, type ChildOptions } from './child.js';
import type { EstimateContext, EstimateRequest, Estimator } from './estimator.js';
import type { Outcome } from './outcome.js';

export interface ChildPoolOptions extends ChildOptions {
  /** How many processes work at once. */
  readonly workers: number;
  /** A trial that takes longer is killed, and has failed; the start of a worker does not count. */
  readonly timeoutSeconds?: number;
}

/** A death that a trial has no part in, such as a stray kill, must not change what becomes of it. */
const ATTEMPTS = 2;

/** Node fires a timer at once that is set to more, which is 25 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Measures trials in worker processes, so that a native fault, a hang or the system's out-of-memory killer ends
 * one trial and not the search. The workers live as long as the pool; one that died is replaced.
 */
export class ChildPool implements Estimator {
  readonly #options: ChildPoolOptions;
  /** All processes that are not gone, usable or not. */
  readonly #children = new Set<Child>();
  readonly #idle: Child[] = [];
  /** Trials that wait for one of the `workers` places. */
  readonly #queue: (() => void)[] = [];
  #free: number;
  #closed = false;

  constructor(options: ChildPoolOptions) {
    this.#options = options;
    this.#free = options.workers;
  }

  /**
   * Starts all workers. To be called before a run begins, so that what keeps them from working is an error and
   * not a search of failed trials.
   *
   * @throws InputError for what a worker found wrong with the user's input
   */
  async ready(): Promise<void> {
    const children = Array.from({ length: this.#options.workers }, () => this.#spawn());
    try {
      await Promise.all(children.map((child) => child.ready));
    } catch (error) {
      if (error instanceof ChildDeath) throw new Error(`a worker could not start: ${describe(error)}`);
      throw error;
    }
    this.#idle.push(...children);
  }

  async estimate(request: EstimateRequest, context: EstimateContext): Promise<Outcome> {
    await this.#place();
    try {
      const deaths: ChildDeath[] = [];
      while (deaths.length < ATTEMPTS) {
        this.#requireOpen();
        context.signal.throwIfAborted();
        const outcome = await this.#attempt(request, context);
        if (!(outcome instanceof ChildDeath)) return outcome;
        deaths.push(outcome);
      }
      this.#requireOpen();
      context.signal.throwIfAborted();
      return died(deaths);
    } finally {
      this.#leave();
    }
  }

  /** Ends all processes, whatever they are doing; none is left when it resolves. */
  async close(): Promise<void> {
    this.#closed = true;
    const children = [...this.#children];
    for (const child of children) child.kill();
    await Promise.all(children.map((child) => child.gone));
  }

  async #attempt(
    request: EstimateRequest,
    { signal, progress }: EstimateContext,
  ): Promise<Outcome | ChildDeath> {
    const { timeoutSeconds } = this.#options;
    const child = this.#take();
    const kill = () => child.kill();
    let timer: NodeJS.Timeout | undefined;
    let timedOut = false;
    signal.addEventListener('abort', kill);
    try {
      await child.ready;
      if (timeoutSeconds !== undefined) {
        timer = setTimeout(
          () => {
            timedOut = true;
            child.kill();
          },
          Math.min(timeoutSeconds * 1000, LONGEST_TIMER_MS),
        );
      }
      const outcome = (await child.run(request, progress)) as Outcome;
      clearTimeout(timer);
      if (child.usable) this.#idle.push(child);
      return outcome;
    } catch (error) {
      if (!(error instanceof ChildDeath)) throw error;
      return timedOut ? { status: 'failed', reason: `timed out after ${timeoutSeconds} s` } : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
    }
  }

  #take(): Child {
    for (;;) {
      const child = this.#idle.pop();
      if (child === undefined) return this.#spawn();
      if (child.usable) return child;
    }
  }

  #spawn(): Child {
    this.#requireOpen();
    const child = new Child(this.#options);
    this.#children.add(child);
    child.gone.then(() => this.#children.delete(child));
    return child;
  }

  async #place(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
  }

  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free++;
    else next();
  }

  #requireOpen(): void {
    if (this.#closed) throw new Error('the pool of workers is closed');
  }
}

/** The reason is the same in every run that goes the same way; what the processes wrote may differ. */
function died(deaths: readonly ChildDeath[]): Outcome {
  const ways = deaths.map(({ message }) => message);
  const memory = ways.includes('killed by SIGKILL') ? '; the system kills so when memory runs out' : '';
  return {
    status: 'failed',
    reason: `${new Set(ways).size === 1 ? `${ways[0]} (twice)` : ways.join(', then ')}${memory}`,
    clock: { output: deaths.at(-1)?.output ?? '' },
  };
}

function describe({ message, output }: ChildDeath): string {
  return output.trim() === '' ? message : `${message}\n${output.trim()}`;
}
