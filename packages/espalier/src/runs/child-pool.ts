import { Child, ChildDeath, type ChildOptions } from './child.js';
import type { Job, WorkerRequest, WorkerSettings } from './child-message.js';
import type { EstimateContext, TrialRequest } from './estimator.js';
import type { Measured, Outcome } from './outcome.js';
import { type HangSettings, TimeLimit, USUAL_HANG } from './time-limit.js';
import type { TrialPool } from './trial-pool.js';

export interface ChildPoolOptions extends ChildOptions {
  /** The settings of each worker process. */
  readonly workers: readonly WorkerSettings[];
  /** A trial that takes longer is killed and counts as failed. The start of a worker is not included. */
  readonly timeoutSeconds?: number;
  /** Without a timeout: when a trial that takes much longer than the others is killed and counts as failed. */
  readonly hang?: HangSettings;
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
export class ChildPool implements TrialPool {
  readonly #options: ChildPoolOptions;
  /** All processes that have not ended, usable or not. */
  readonly #children = new Set<Child>();
  /** Processes that wait for a trial. The keys are their places, which are indices of `workers`. */
  readonly #idle = new Map<number, Child>();
  /** Places that have no trial. */
  readonly #free: number[];
  /** Trials that wait for a place. */
  readonly #queue: ((place: number) => void)[] = [];
  /** Without a timeout. */
  readonly #limit: TimeLimit;
  /** Timers of the running trials. */
  readonly #timers = new Set<TrialTimer>();
  #closed = false;

  constructor(options: ChildPoolOptions) {
    this.#options = options;
    this.#limit = new TimeLimit(options.hang ?? USUAL_HANG);
    this.#free = options.workers.map((_, place) => place);
  }

  /**
   * Starts all workers. If this is called before a run begins, a problem that prevents the workers from working is an
   * error, rather than a search in which all trials fail.
   *
   * @param count start only so many; the others start when they are needed
   * @throws InputError if a worker finds a fault in the input of the user
   */
  async ready(count = this.#options.workers.length): Promise<void> {
    const children = this.#options.workers.slice(0, count).map((_, place) => this.#spawn(place));
    try {
      await Promise.all(children.map((child) => child.ready));
    } catch (error) {
      if (error instanceof ChildDeath) throw new Error(`a worker could not start: ${describe(error)}`);
      throw error;
    }
    for (const [place, child] of children.entries()) this.#idle.set(place, child);
  }

  async estimate(
    request: TrialRequest,
    { checkpoints, keeps = false, ...context }: EstimateContext,
    work = 1,
  ): Promise<Measured> {
    const sent: WorkerRequest = {
      ...request,
      ...(checkpoints === undefined ? {} : { checkpoints: checkpoints.address }),
      ...(keeps ? { keeps } : {}),
    };
    return (await this.run(sent, context, work)) as Measured;
  }

  /**
   * Has a worker do a job, such as a trial.
   *
   * @param work see `estimate`; undefined for a job that may take as long as it likes
   * @returns what its handler returned, unchecked; a failed outcome if it threw an error or its process died twice
   */
  async run(request: Job, context: JobContext, work?: number): Promise<unknown> {
    const place = await this.#place();
    try {
      const deaths: ChildDeath[] = [];
      while (deaths.length < ATTEMPTS) {
        this.#requireOpen();
        context.signal.throwIfAborted();
        const outcome = await this.#attempt(place, request, context, work);
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

  async #attempt(
    place: number,
    request: Job,
    { signal, progress }: JobContext,
    work: number | undefined,
  ): Promise<unknown> {
    const child = this.#take(place);
    const kill = () => child.kill();
    let timer: TrialTimer | undefined;
    signal.addEventListener('abort', kill);
    try {
      await child.ready;
      timer = new TrialTimer(kill, () => this.#secondsFor(work));
      this.#timers.add(timer);
      const outcome = await child.run(request, progress);
      this.#timers.delete(timer);
      if (work !== undefined && (outcome as Partial<Outcome> | null)?.status !== 'failed') {
        this.#limit.add(timer.seconds, work);
        for (const other of this.#timers) other.set();
      }
      if (child.usable) this.#idle.set(place, child);
      return outcome;
    } catch (error) {
      if (!(error instanceof ChildDeath)) throw error;
      return timer?.hasStruck ? { status: 'failed', reason: this.#tooLong() } : error;
    } finally {
      timer?.clear();
      if (timer !== undefined) this.#timers.delete(timer);
      signal.removeEventListener('abort', kill);
    }
  }

  #secondsFor(work: number | undefined): number | undefined {
    const { timeoutSeconds } = this.#options;
    if (timeoutSeconds !== undefined || work === undefined) return timeoutSeconds;
    return this.#limit.of(work);
  }

  /** Why a trial failed that was killed for the time it took. How long that was is in its clock. */
  #tooLong(): string {
    const { timeoutSeconds } = this.#options;
    return timeoutSeconds === undefined
      ? `hung: it took ${this.#limit.settings.factor} times as long as the others do at the median; --timeout sets a limit of its own`
      : `timed out after ${timeoutSeconds} s`;
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

/** Kills a trial that takes longer than it may, which may become known while it runs. */
class TrialTimer {
  readonly #begun = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #hasStruck = false;

  /** @param limit in seconds; undefined where there is none yet */
  constructor(
    private readonly kill: () => void,
    private readonly limit: () => number | undefined,
  ) {
    this.set();
  }

  get hasStruck(): boolean {
    return this.#hasStruck;
  }

  /** Since the trial began. */
  get seconds(): number {
    return (performance.now() - this.#begun) / 1000;
  }

  /** Begins to wait, or waits for another time where the limit has changed. */
  set(): void {
    this.clear();
    const seconds = this.limit();
    if (seconds === undefined) return;
    const left = Math.max(0, seconds - this.seconds);
    this.#timer = setTimeout(
      () => {
        this.#hasStruck = true;
        this.kill();
      },
      Math.min(left * 1000, LONGEST_TIMER_MS),
    );
  }

  clear(): void {
    clearTimeout(this.#timer);
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
