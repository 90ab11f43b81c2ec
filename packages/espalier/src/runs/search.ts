import { setMaxListeners } from 'node:events';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { decidingValue, goodness } from '../measures/measure.js';
import { deriveSeed } from '../random/random.js';
import type { Asked, Proposal, Strategy, StrategyEvent, TrialOutcome } from '../strategies/strategy.js';
import { AMENDED, type Amendments, amendsSomething } from './amendments.js';
import { type CheckpointStore, FolderStore } from './checkpoint-store.js';
import type { Estimator, SearchAtWork, TrialRequest } from './estimator.js';
import { FollowedRun } from './followed-run.js';
import { Journal, readJournal } from './journal.js';
import { type Clock, type JournalEvent, type RunHeader, withoutClock } from './journal-event.js';
import { dropOutcome } from './kept-outcome.js';
import { LateOutcomes } from './late-outcomes.js';
import type { Outcome } from './outcome.js';
import type { RunFolder } from './run-folder.js';
import { runIdOf } from './run-id.js';
import { acquireLock } from './run-lock.js';
import { DIFFERENCE, ENGINE_EVENTS, outcomeIn, RunState } from './run-state.js';
import { SearchSnapshots } from './search-snapshots.js';
import type { Asking } from './snapshot.js';
import { TrialsAtWork } from './trials-at-work.js';

export interface SearchOptions {
  /** Folder of a run that was begun, so that its journal has at least the header. */
  readonly folder: RunFolder;
  /** The header, which must equal that of the journal. */
  readonly header: RunHeader;
  /** The strategy of the header. It must not have been asked or told anything. The caller closes it. */
  readonly strategy: Strategy;
  /** The caller closes it. */
  readonly estimator: Estimator;
  /** Name of the strategy, for messages. */
  readonly strategyName?: string;
  /** Stops the search when it is aborted. Everything in the journal is kept, and the run can be resumed. */
  readonly signal?: AbortSignal;
  readonly report?: (notice: SearchNotice) => void;
  /**
   * Take a snapshot after so many results, and after every event of the strategy. By default one is taken at most once
   * a second, and less often where it takes long.
   */
  readonly snapshotEvery?: number;
  /** What is changed of the budgets, once the search is where its journal ends. */
  readonly amend?: Amendments | undefined;
  /** What a proposal means, for the journal: the architecture by its values; undefined where it has none. */
  readonly architectureOf?: (proposal: Proposal) => Json | undefined;
  /**
   * Stop once so many trials have failed in this life of the run while none has ever succeeded. The journal is left as that
   * of a run that was interrupted, so that it can be resumed. By default a search goes on whatever fails.
   */
  readonly mostFailures?: number;
  /** The events of a run to be repeated. Results are told in the order in which they are in these events. */
  readonly follow?: readonly JournalEvent[];
}

/** A notice from a running search. `state` is always the same object, without architectures, curves and clocks. */
export type SearchNotice =
  /** An event was written to the journal, or, if `replayed`, was there before. */
  | {
      readonly kind: 'event';
      readonly event: JournalEvent;
      readonly state: RunState;
      readonly replayed: boolean;
    }
  /** The search resumes from a snapshot. The events before it are not reported. */
  | { readonly kind: 'restored'; readonly state: RunState }
  /** Progress of a running trial, as the estimator reports it. */
  | { readonly kind: 'progress'; readonly trial: number; readonly progress: Json }
  /** A message to the user, such as about a repair. */
  | { readonly kind: 'message'; readonly text: string };

export interface SearchEnd {
  /** `failing`: it was stopped because all trials fail, see `mostFailures`. */
  readonly status: 'finished' | 'interrupted' | 'failing';
  /** Without architectures, curves and clocks, which are in the journal: `RunState.of` has them. */
  readonly state: RunState;
}

/**
 * Runs a search to its end, or resumes one that was stopped or killed. The code is the same, because it takes
 * everything in the journal as given.
 *
 * The journal depends only on the header, the strategy, the outcomes, and the order in which results are told. With W
 * workers, a trial is asked for whenever fewer than W are running, unless the strategy waits for a result. If the order
 * is `virtual`, results are told in virtual time, so that nothing depends on the clock. If it is `arrival`, each result
 * is told as it arrives, so that no worker waits for another. The journal records the order, a resumed search replays
 * it, and `follow` repeats it.
 *
 * Trials that are tried again are not told to the strategy, which has been told that they failed.
 *
 * @throws InputError for a journal that this search would not have written, or that another process is writing
 */
export async function runSearch(options: SearchOptions): Promise<SearchEnd> {
  const { folder, report = () => {} } = options;
  const lock = acquireLock(folder.path);
  try {
    const journal = Journal.open(folder.journal, (text) => report({ kind: 'message', text }));
    try {
      return await new Search(options, journal, report).run();
    } finally {
      journal.close();
    }
  } finally {
    lock.release();
  }
}

/** The result to be told next. */
interface NextResult {
  readonly trial: number;
  readonly outcome: Outcome;
}

class Search {
  readonly #folder: RunFolder;
  readonly #header: RunHeader;
  readonly #strategy: Strategy;
  readonly #strategyName: string;
  readonly #estimator: Estimator;
  readonly #signal: AbortSignal | undefined;
  readonly #architectureOf: (proposal: Proposal) => Json | undefined;
  readonly #mostFailures: number;
  readonly #checkpoints: CheckpointStore;
  readonly #state: RunState;
  readonly #follow: FollowedRun;
  readonly #snapshots: SearchSnapshots;
  /** Is aborted when the search ends for any reason, and ends the running trials. */
  readonly #stopping = new AbortController();
  readonly #atWork: TrialsAtWork;
  /** How many results of each trial are in the journal already. */
  readonly #recorded = new Map<unknown, number>();
  /** Outcomes of attempts that were given up, to be compared with those in the journal. */
  readonly #late: LateOutcomes;
  /** Of a strategy that decides elsewhere: whether it listens, and whether something has arrived since. */
  #hasBegun = false;
  #hasArrived = false;
  /** Why the search cannot go on in this process. */
  #broken: Error | undefined;
  /** What is yet to be amended. */
  #amendments: Amendments | undefined;
  #asking: Asking = 'open';
  /** Trials that failed in this life of the run. */
  #failures = 0;
  readonly #begun = performance.now();
  /** Seconds for which earlier lives of the run have worked. */
  readonly #secondsBefore: number;
  #wake = () => {};

  constructor(
    options: SearchOptions,
    private readonly journal: Journal,
    private readonly report: (notice: SearchNotice) => void,
  ) {
    const { folder, header, strategy, estimator, signal, follow = [] } = options;
    this.#mostFailures = options.mostFailures ?? Number.POSITIVE_INFINITY;
    this.#folder = folder;
    this.#header = header;
    this.#strategy = strategy;
    this.#strategyName = options.strategyName ?? 'of this search';
    this.#estimator = estimator;
    this.#signal = signal;
    this.#architectureOf = options.architectureOf ?? (() => undefined);
    this.#checkpoints = new FolderStore(folder.path);
    this.#follow = new FollowedRun(follow, this.#message);
    this.#snapshots = new SearchSnapshots(
      folder.snapshot,
      journal,
      strategy,
      this.#strategyName,
      options.snapshotEvery,
    );
    // Every running trial listens, and Node would warn about more than ten listeners.
    setMaxListeners(0, this.#stopping.signal);
    this.#amendments = amendsSomething(options.amend) ? options.amend : undefined;
    for (const { event, trial } of journal.recorded)
      if (event === 'result') this.#recorded.set(trial, (this.#recorded.get(trial) ?? 0) + 1);
    const begin = journal.write({ event: 'run', ...(header as Record<string, Json>) }, now());
    this.#state = new RunState(begin, this.#folder.journal, 'what decides');
    this.#atWork = new TrialsAtWork({
      folder,
      estimator,
      objectives: this.#state.objectives,
      checkpoints: this.#checkpoints,
      signal: this.#stopping.signal,
      isItsTurn: (trial) => !journal.replaying && (this.#wanted() ?? trial) === trial,
      arrived: () => this.#wake(),
      progress: (trial, progress) => this.report({ kind: 'progress', trial, progress }),
      message: this.#message,
    });
    this.#late = new LateOutcomes(this.#state, () => this.#journaledOutcomes());
    this.#secondsBefore = Number(journal.recorded.at(-1)?.clock?.elapsed ?? 0);
    this.report({ kind: 'event', event: begin, state: this.#state, replayed: true });
  }

  readonly #message = (text: string) => this.report({ kind: 'message', text });

  /** Seconds for which the run has worked, over all its lives. */
  get #elapsed(): number {
    return this.#secondsBefore + (performance.now() - this.#begun) / 1000;
  }

  async run(): Promise<SearchEnd> {
    const stop = () => {
      this.#stopping.abort(this.#signal?.reason);
      this.#wake();
    };
    this.#signal?.addEventListener('abort', stop);
    if (this.#signal?.aborted) stop();
    try {
      await this.#estimator.begin?.(this.#asSeen());
      return await this.#run();
    } finally {
      if (this.#hasBegun) await this.#strategy.elsewhere?.end(this.#state.finished);
      this.#signal?.removeEventListener('abort', stop);
      this.#stopping.abort();
    }
  }

  /** This search, as an estimator sees it. */
  #asSeen(): SearchAtWork {
    return {
      id: runIdOf(this.#folder.path),
      folder: resolve(this.#folder.path),
      message: this.#message,
      late: (trial, outcome) => this.#late.take(trial, outcome),
      fail: (error) => {
        this.#broken = error;
        this.#wake();
      },
    };
  }

  async #run(): Promise<SearchEnd> {
    this.#restore();
    for (;;) {
      this.#takeGiven();
      this.#amend();
      this.#ask();
      if (this.#stopping.signal.aborted) break;
      if (this.#isToBeAmended()) continue;
      if (await this.#beginElsewhere()) continue;
      if (this.#state.running === 0 && !(this.#asking === 'wait' && this.#strategy.elsewhere !== undefined)) {
        this.#end();
        if (this.#isToBeAmended()) continue;
        this.journal.finish();
        return { status: 'finished', state: this.#state };
      }
      const next = await this.#next();
      if (next === undefined) break;
      if (next === 'arrived') {
        this.#asking = 'open';
        continue;
      }
      this.#tell(next);
      if (this.#failures >= this.#mostFailures && this.#state.done === 0) return this.#stop('failing');
      // Without this, a replay or an estimator that only looks results up would not let Ctrl-C through.
      await setImmediate();
    }
    return this.#stop('interrupted');
  }

  /** Journals what neither the strategy nor a trial here comes to; in a replay, takes it from the journal. */
  #takeGiven(): void {
    const { elsewhere } = this.#strategy;
    for (let next = this.journal.next(); next !== undefined; next = this.journal.next()) {
      const event = withoutClock(next);
      if (elsewhere !== undefined && !ENGINE_EVENTS.includes(event.event)) {
        elsewhere.recallEvent(event as StrategyEvent);
        this.#asking = 'open';
      } else if (event.event !== DIFFERENCE) break;
      this.#write(event);
    }
    if (this.journal.replaying) return;
    for (const event of elsewhere?.takeEvents() ?? []) this.#write(this.#checked(event));
    this.#compareLate();
  }

  /** All outcomes that were told, by trial. Few searches ever need them, so they are read from the file. */
  #journaledOutcomes(): Map<number, Outcome> {
    const { events } = readJournal(this.#folder.journal);
    const isResult = ({ event }: JournalEvent) => event === 'result';
    return new Map(
      events
        .filter(isResult)
        .map((event) => [
          event.trial as number,
          outcomeIn(event, this.#state.objectives, this.#folder.journal),
        ]),
    );
  }

  /** Journals where an attempt that had been given up came to something else. */
  #compareLate(): void {
    for (const { trial, outcome, clock } of this.#late.differences()) {
      this.#message(
        `trial ${trial}: an attempt that had been given up came to something else; the journal has both`,
      );
      this.#write({ event: DIFFERENCE, trial, outcome: outcome as Json }, clock);
    }
  }

  /** @returns whether the strategy has begun to listen to other processes just now */
  async #beginElsewhere(): Promise<boolean> {
    const { elsewhere } = this.#strategy;
    if (elsewhere === undefined || this.#hasBegun || this.journal.replaying) return false;
    this.#hasBegun = true;
    await elsewhere.begin(this.#asSeen(), () => {
      this.#hasArrived = true;
      this.#wake();
    });
    this.#asking = 'open';
    return true;
  }

  #stop(status: SearchEnd['status']): SearchEnd {
    this.#snapshots.take(this.#asking);
    return { status, state: this.#state };
  }

  /** Goes on from the snapshot, if there is one. */
  #restore(): void {
    const asking = this.#snapshots.restore((event) => this.#state.apply(event), this.#message);
    if (asking === undefined) return;
    this.#asking = asking;
    this.report({ kind: 'restored', state: this.#state });
    for (const trial of this.#state.outstanding) this.#start(trial);
  }

  /** Asks for as many trials as there are free workers, within the budgets. */
  #ask(): void {
    const { workers, seed } = this.#header;
    const state = this.#state;
    while (
      this.#asking === 'open' &&
      !this.#stopping.signal.aborted &&
      state.running < workers &&
      !this.#isToBeAmended() &&
      !this.#isSpent()
    ) {
      const asked = this.#proposal();
      if (typeof asked === 'string') {
        this.#asking = asked;
        if (asked === 'wait' && state.running === 0 && this.#strategy.elsewhere === undefined)
          throw new InputError(
            `the strategy ${this.#strategyName} waits for a result although no trial is running`,
          );
        return;
      }
      const trial = state.trials.length;
      const architecture = this.#architectureOf(asked);
      const before = asked.continues === undefined ? undefined : state.trials[asked.continues];
      this.#write({
        event: 'trial',
        trial,
        ...keysOf(asked),
        seed: before?.seed ?? deriveSeed(seed, `trial ${trial}`),
        ...(architecture === undefined ? {} : { architecture }),
        ...(asked.origin === undefined ? {} : { origin: asked.origin }),
      });
      this.#start(state.trials[trial] as TrialRequest);
    }
  }

  /** What the strategy proposes; of one that decides elsewhere, what it has proposed according to the journal. */
  #proposal(): Asked {
    const { elsewhere } = this.#strategy;
    const recorded = elsewhere === undefined ? undefined : this.journal.next();
    if (elsewhere === undefined || recorded === undefined) return this.#strategy.ask();
    if (recorded.event !== 'trial') return 'wait';
    const proposal = { ...keysOf(recorded as unknown as Proposal), origin: recorded.origin as Json };
    elsewhere.recall(proposal);
    return proposal;
  }

  /** Whether a budget is spent. That of seconds depends on the clock, so the journal records when it is. */
  #isSpent(): boolean {
    const state = this.#state;
    const { trials, cost, seconds } = state.header;
    if (state.limited) return true;
    if (trials !== undefined && state.trials.length >= trials) return true;
    if (cost !== undefined && state.cost >= cost) return true;
    if (seconds === undefined) return false;
    const next = this.journal.next() ?? this.#follow.at(state.events);
    const isReached = next === undefined ? this.#elapsed >= seconds : next.event === 'limit';
    if (isReached) this.#write({ event: 'limit', limit: 'seconds' });
    return isReached;
  }

  /** Starts to measure a trial, unless its result is in the journal. */
  #start({ trial, seed, ...proposal }: TrialRequest): void {
    if (this.#state.timesTold(trial) < (this.#recorded.get(trial) ?? 0)) return;
    const { continues } = proposal;
    const epochsDone = continues === undefined ? undefined : this.#state.trials[continues]?.epochs;
    const request = { trial, ...keysOf(proposal), seed };
    this.#atWork.start(epochsDone === undefined ? request : { ...request, epochsDone });
  }

  /** The trial whose result must be told next; undefined if it is the first to arrive. */
  #wanted(): number | undefined {
    return this.#header.order === 'virtual' ? this.#state.next : this.#follow.nextResult(this.#state.events);
  }

  /** Stops following a run whose next result cannot come here, because the two have diverged. */
  #stopFollowingIfDiverged(): void {
    const followed = this.#follow.nextResult(this.#state.events);
    if (followed === undefined || this.#state.isRunning(followed)) return;
    this.#follow.diverge(
      `trial ${followed} comes next in the run that this one repeats, but is not running here`,
    );
  }

  /** The next result to tell; 'arrived' if there is something of a strategy that decides elsewhere; undefined to stop. */
  async #next(): Promise<NextResult | 'arrived' | undefined> {
    const recorded = this.journal.next();
    if (recorded !== undefined) {
      const { next } = this.#state;
      const trial = this.#header.order === 'virtual' ? next : recorded.trial;
      const isIt =
        recorded.event === 'result' && recorded.trial === trial && this.#state.isRunning(recorded.trial);
      if (!isIt) throw this.journal.contradiction({ event: 'result', trial: next as number });
      const place = `${this.#folder.journal}:${this.journal.position + 1}`;
      return { trial: trial as number, outcome: outcomeIn(recorded, this.#state.objectives, place) };
    }
    if (this.#header.order === 'arrival') this.#stopFollowingIfDiverged();
    const wanted = this.#wanted();
    for (;;) {
      if (this.#broken !== undefined) throw this.#broken;
      if (this.#stopping.signal.aborted) return undefined;
      if (this.#hasArrived) {
        this.#hasArrived = false;
        return 'arrived';
      }
      const taken = this.#atWork.take(wanted);
      if (taken !== undefined) return { trial: taken.trial, outcome: await taken.outcome };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #tell({ trial, outcome: { clock, ...outcome } }: NextResult): void {
    if (!this.journal.replaying && outcome.status === 'failed') this.#failures++;
    this.#write({ event: 'result', trial, ...(outcome as Record<string, Json>) }, clock);
    this.#atWork.forget(trial);
    const asked = this.#state.trials[trial] as TrialRequest;
    const isToldAgain = this.#state.timesTold(trial) > 1;
    // The checkpoint of a trial that was continued is not needed any more.
    if (asked.continues !== undefined) this.#checkpoints.remove(asked.continues);
    const events = isToldAgain
      ? []
      : (this.#strategy.tell({ trial, ...keysOf(asked), outcome: this.#told(outcome as Outcome) }) ?? []);
    for (const event of events) this.#write(this.#checked(event));
    if (this.#asking === 'wait') this.#asking = 'open';
    if (!this.journal.replaying && this.#snapshots.isDue(this.#state.told, events.length > 0))
      this.#snapshots.take(this.#asking);
  }

  #told(outcome: Outcome): TrialOutcome {
    if (outcome.status === 'failed') return { status: 'failed', reason: outcome.reason };
    const { measures } = outcome;
    const value = decidingValue(this.#state.objectives, measures);
    return { status: 'ok', value, goodness: goodness(this.#state.objective, value), measures };
  }

  #checked(event: JournalEvent): JournalEvent {
    if (!ENGINE_EVENTS.includes(event.event) && !('clock' in event)) return event;
    throw new TypeError(
      `the strategy ${this.#strategyName} has an event '${event.event}' of its own; ` +
        `the events ${ENGINE_EVENTS.join(', ')} and the key clock are reserved for the journal`,
    );
  }

  #end(): void {
    const { best, trials } = this.#state;
    for (const { trial, epochs } of trials) if (epochs !== undefined) this.#checkpoints.remove(trial);
    this.#write({ event: 'end', best: best as Json });
  }

  /** Whether what comes next is a change: in the journal, in the run that this one repeats, or asked for now. */
  #isToBeAmended(): boolean {
    const { journal } = this;
    if (journal.replaying) return journal.next()?.event === AMENDED;
    return this.#follow.amendmentAt(this.#state.events) !== undefined || this.#amendments !== undefined;
  }

  /** Makes the changes that come next. */
  #amend(): void {
    while (this.#isToBeAmended()) {
      const event = this.#amendment();
      if (event === undefined) continue;
      const { retry = [] } = event as { readonly retry?: readonly number[] };
      if (!this.journal.replaying) for (const trial of retry) dropOutcome(this.#folder.trial(trial));
      this.#write(event);
      for (const trial of retry) {
        this.#atWork.forget(trial);
        this.#start(this.#state.trials[trial] as TrialRequest);
      }
    }
  }

  /** The event of the next change; undefined where nothing is to be changed after all. */
  #amendment(): JournalEvent | undefined {
    const recorded = this.journal.next();
    if (recorded !== undefined) return withoutClock(recorded);
    const followed = this.#follow.amendmentAt(this.#state.events);
    if (followed !== undefined) {
      const { retry = [] } = followed as { readonly retry?: readonly number[] };
      if (retry.every((trial) => this.#state.trials[trial]?.outcome?.status === 'failed'))
        return withoutClock(followed);
      this.#follow.diverge('children are tried again that have not failed here');
      return undefined;
    }
    const { trials, timeoutSeconds, retryFailed = false } = this.#amendments as Amendments;
    this.#amendments = undefined;
    const retry = retryFailed ? this.#state.failures.map(({ trial }) => trial).sort((a, b) => a - b) : [];
    const event = {
      ...(trials === undefined ? {} : { trials }),
      ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
      ...(retry.length === 0 ? {} : { retry }),
    };
    return Object.keys(event).length === 0 ? undefined : { event: AMENDED, ...event };
  }

  #write(event: JournalEvent, clock: Clock = {}): void {
    const replayed = this.journal.replaying;
    const elapsed = Math.round(this.#elapsed * 1000) / 1000;
    // An event that cannot follow, such as an illegal proposal, would make the journal unreadable.
    const written = this.journal.write(event, { ...clock, ...now(), elapsed }, (accepted) =>
      this.#state.apply(accepted),
    );
    this.report({ kind: 'event', event: written, state: this.#state, replayed });
  }
}

/** The keys of a proposal, without those that it lacks. */
function keysOf({ answers, depth, epochs, continues }: Proposal) {
  return {
    answers,
    ...(depth === undefined ? {} : { depth }),
    ...(epochs === undefined ? {} : { epochs }),
    ...(continues === undefined ? {} : { continues }),
  };
}

function now(): Clock {
  return { time: new Date().toISOString() };
}
