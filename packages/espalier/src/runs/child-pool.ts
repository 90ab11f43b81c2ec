import { Child, ChildDeath, type ChildOptions } from './child.js';
import type { Job, WorkerSettings } from './child-message.js';
import type { EstimateContext, Estimator, TrialRequest } from './estimator.js';
import type { Measured, Outcome } from './outcome.js';

export interface ChildPoolOptions extends ChildOptions {
  /** The settings of each worker process. */
  readonly workers: readonly WorkerSettings[];
  /** A trial that takes longer is killed and counts as failed. The start of a worker is not included. */
  readonly timeoutSeconds?: number;
}

type JobContext = Pick<EstimateContext, 'signal' | 'progress'>;

/** A death for which the trial is not to blame, such as a stray kill, must not change its outcome. */
const ATTEMPTS = 2;

/** Node fires a timer at once if its delay is longer than this, which is about 25 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Measures trials in worker processes, so that a native fault, a hang or the out-of-memory killer of the system ends
 * one trial and not the search. Workers live as long as the pool. A worker that dies is replaced.
 */
export class ChildPool implements Estimator {
  readonly #options: ChildPoolOptions;
  /** All processes that have not ended, usable or not. */
  readonly #children = new Set<Child>();
  /** Processes that wait for a trial. The keys are their places, which are indices of `workers`. */
  readonly #idle = new Map<number, Child>();
  /** Places that have no trial. */
  readonly #free: number[];
  /** Trials that wait for a place. */
  readonly #queue: ((place: number) => void)[] = [];
  #closed = false;

  constructor(options: ChildPoolOptions) {
    this.#options = options;
    this.#free = options.workers.map((_, place) => place);
  }

  /**
   * Starts all workers. If this is called before a run begins, a problem that prevents the workers from working is an
   * error, rather than a search in which all trials fail.
   *
   * @throws InputError if a worker finds a fault in the input of the user
   */
  async ready(): Promise<void> {
    const children = this.#options.workers.map((_, place) => this.#spawn(place));
    try {
      await Promise.all(children.map((child) => child.ready));
    } catch (error) {
      if (error instanceof ChildDeath) throw new Error(`a worker could not start: ${describe(error)}`);
      throw error;
    }
    for (const [place, child] of children.entries()) this.#idle.set(place, child);
  }

  async estimate(request: TrialRequest, { checkpoints, ...context }: EstimateContext): Promise<Measured> {
    const sent = checkpoints === undefined ? request : { ...request, checkpoints: checkpoints.address };
    return (await this.run(sent, context)) as Measured;
  }

  /**
   * Has a worker do a job, such as a trial.
   *
   * @returns what its handler returned, unchecked; a failed outcome if it threw an error or its process died twice
   */
  async run(request: Job, context: JobContext): Promise<unknown> {
    const place = await this.#place();
    try {
      const deaths: ChildDeath[] = [];
      while (deaths.length < ATTEMPTS) {
        this.#requireOpen();
        context.signal.throwIfAborted();
        const outcome = await this.#attempt(place, request, context);
        if (!(outcome instanceof ChildDeath)) return outcome;
        deaths.push(outcome);
      }
      this.#requireOpen();
      context.signal.throwIfAborted();
      return died(deaths);
    } finally {
      this.#leave(place);
    }
  }

  /** Ends all processes, whatever they are doing. None is left when the promise resolves. */
  async close(): Promise<void> {
    this.#closed = true;
    const children = [...this.#children];
    for (const child of children) child.kill();
    await Promise.all(children.map((child) => child.gone));
  }

  async #attempt(place: number, request: Job, { signal, progress }: JobContext): Promise<unknown> {
    const { timeoutSeconds } = this.#options;
    const child = this.#take(place);
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
      const outcome = await child.run(request, progress);
      clearTimeout(timer);
      if (child.usable) this.#idle.set(place, child);
      return outcome;
    } catch (error) {
      if (!(error instanceof ChildDeath)) throw error;
      return timedOut ? { status: 'failed', reason: `timed out after ${timeoutSeconds} s` } : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
    }
  }

  #take(place: number): Child {
    const child = this.#idle.get(place);
    this.#idle.delete(place);
    return child?.usable ? child : this.#spawn(place);
  }

  #spawn(place: number): Child {
    this.#requireOpen();
    const child = new Child(this.#options, this.#options.workers[place] as WorkerSettings);
    this.#children.add(child);
    child.gone.then(() => this.#children.delete(child));
    return child;
  }

  async #place(): Promise<number> {
    return this.#free.shift() ?? new Promise<number>((resolve) => this.#queue.push(resolve));
  }

  #leave(place: number): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free.push(place);
    else next(place);
  }

  #requireOpen(): void {
    if (this.#closed) throw new Error('the pool of workers is closed');
  }
}

/** The reason is reproducible. The output of the processes may differ between runs, so it belongs to the clock. */
function died(deaths: readonly ChildDeath[]): Outcome {
  const ways = deaths.map(({ message }) => message);
  const memory = ways.includes('killed by SIGKILL')
    ? '; the system kills in this way when memory runs out'
    : '';
  return {
    status: 'failed',
    reason: `${new Set(ways).size === 1 ? `${ways[0]} (twice)` : ways.join(', then ')}${memory}`,
    clock: { output: deaths.at(-1)?.output ?? '' },
  };
}

function describe({ message, output }: ChildDeath): string {
  return output.trim() === '' ? message : `${message}\n${output.trim()}`;
}
