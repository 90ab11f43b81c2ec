import { setMaxListeners } from 'node:events';
import { rmSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { deriveSeed } from '../random/random.js';
import type { Proposal, Strategy } from '../strategies/strategy.js';
import type { Checkpoints, Estimator, TrialRequest } from './estimator.js';
import { failureOf } from './failure.js';
import { Journal } from './journal.js';
import type { Clock, JournalEvent, RunHeader } from './journal-event.js';
import { keepOutcome, keptOutcome } from './kept-outcome.js';
import { type Outcome, parseOutcome } from './outcome.js';
import type { RunFolder } from './run-folder.js';
import { acquireLock } from './run-lock.js';
import { ENGINE_EVENTS, outcomeIn, RunState } from './run-state.js';
import { readSnapshot, writeSnapshot } from './snapshot.js';

export interface SearchOptions {
  /** Of a run that was begun: its journal has at least the header. */
  readonly folder: RunFolder;
  /** What the run is now: it has to be what the journal begins with. Seed, trials and workers are read here. */
  readonly header: RunHeader;
  /** As it was made from the header, never asked or told. */
  readonly strategy: Strategy;
  /** The caller's to close. */
  readonly estimator: Estimator;
  /** Stops the search; what is journaled is kept and the run can be resumed. */
  readonly signal?: AbortSignal;
  readonly report?: (notice: SearchNotice) => void;
  /** A snapshot after so many results, besides those after every event of the strategy. */
  readonly snapshotEvery?: number;
}

/** What a search says while it goes on. `state` is the same object all the time. */
export type SearchNotice =
  /** An event is in the journal; `replayed`: it was there before. */
  | {
      readonly kind: 'event';
      readonly event: JournalEvent;
      readonly state: RunState;
      readonly replayed: boolean;
    }
  /** The search goes on from a snapshot; the events up to there are not reported. */
  | { readonly kind: 'restored'; readonly state: RunState }
  /** What an estimator says about a trial that is running. */
  | { readonly kind: 'progress'; readonly trial: number; readonly progress: Json }
  /** Something that a person should know, such as a repair. */
  | { readonly kind: 'message'; readonly text: string };

interface SearchEnd {
  readonly status: 'finished' | 'interrupted';
  readonly state: RunState;
}

/**
 * Runs a search to its end, or goes on with one that was stopped or killed: both are the same code, which takes
 * what the journal has as given.
 *
 * The journal depends on nothing but the header, the strategy and the outcomes. With W workers, a
 * trial is asked for whenever fewer than W are outstanding (later where the strategy wants to be told more), and results
 * are told in the order of their virtual time, whatever the order in which they come in. Where the strategy does not
 * say for how many epochs children are trained, trial n is so asked for exactly when the results of the trials 0 .. n-W
 * are told, and results are told in the order of the trials.
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

const SNAPSHOT_EVERY = 10;

class Search {
  readonly #folder: RunFolder;
  readonly #header: RunHeader;
  readonly #strategy: Strategy;
  readonly #estimator: Estimator;
  readonly #signal: AbortSignal | undefined;
  readonly #snapshotEvery: number;
  readonly #state: RunState;
  /** Ends the trials that are running, whatever the search ends with. */
  readonly #stopping = new AbortController();
  /** Of the trials that are running, or ended and wait for their turn. */
  readonly #outcomes = new Map<number, Promise<Outcome>>();
  /** The trials whose results the journal has already. */
  readonly #recorded: ReadonlySet<unknown>;
  /** The strategy said that it must be told a result before it can be asked again. */
  #waiting = false;
  /** The position of the journal that the snapshot on disk is of. */
  #snapshotAt = 0;
  #wake = () => {};

  constructor(
    { folder, header, strategy, estimator, signal, snapshotEvery = SNAPSHOT_EVERY }: SearchOptions,
    private readonly journal: Journal,
    private readonly report: (notice: SearchNotice) => void,
  ) {
    this.#folder = folder;
    this.#header = header;
    this.#strategy = strategy;
    this.#estimator = estimator;
    this.#signal = signal;
    this.#snapshotEvery = snapshotEvery;
    // Every trial that runs listens; Node would warn of more than ten.
    setMaxListeners(0, this.#stopping.signal);
    this.#recorded = new Set(
      journal.recorded.filter(({ event }) => event === 'result').map(({ trial }) => trial),
    );
    const begin = journal.write({ event: 'run', ...header }, now());
    this.#state = new RunState(begin, this.#folder.journal);
    this.report({ kind: 'event', event: begin, state: this.#state, replayed: true });
  }

  async run(): Promise<SearchEnd> {
    const stop = () => {
      this.#stopping.abort(this.#signal?.reason);
      this.#wake();
    };
    this.#signal?.addEventListener('abort', stop);
    if (this.#signal?.aborted) stop();
    try {
      return await this.#run();
    } finally {
      this.#signal?.removeEventListener('abort', stop);
      this.#stopping.abort();
    }
  }

  async #run(): Promise<SearchEnd> {
    this.#restore();
    for (;;) {
      this.#ask();
      if (this.#stopping.signal.aborted) break;
      if (this.#state.outstanding.length === 0) return this.#end();
      const next = this.#state.next as number;
      const outcome = await this.#outcomeOf(next);
      if (outcome === undefined) break;
      this.#tell(next, outcome);
      // A replay, or an estimator that only looks results up, would not let a Ctrl-C through.
      await setImmediate();
    }
    this.#snapshot();
    return { status: 'interrupted', state: this.#state };
  }

  /** Goes to where the snapshot stood, if there is one that belongs to this journal. */
  #restore(): void {
    const { journal } = this;
    if (!journal.replaying) return;
    const file = this.#folder.snapshot;
    const message = (text: string) => this.report({ kind: 'message', text });
    const replays = `the ${journal.recorded.length} lines of the journal are replayed, which only takes longer`;
    let reason = 'there is none';
    const snapshot = readSnapshot(file, (unusable) => {
      reason = unusable;
    });
    if (snapshot === undefined) {
      message(`${file}: no snapshot to go on from (${reason}); ${replays}`);
      return;
    }
    const from = journal.position;
    if (!journal.skipTo(snapshot.events, snapshot.journal)) {
      message(`${file}: the snapshot is not of this journal; ${replays}`);
      return;
    }
    for (const event of journal.recorded.slice(from, journal.position)) this.#state.apply(event);
    try {
      this.#strategy.restore(snapshot.strategy);
    } catch (error) {
      throw new InputError(
        `${file}: the strategy ${this.#strategy.name} cannot go on from this snapshot: ${(error as Error).message}. ` +
          'Delete the file to replay the journal instead',
      );
    }
    this.#waiting = snapshot.waiting;
    this.#snapshotAt = journal.position;
    this.report({ kind: 'restored', state: this.#state });
    for (const trial of this.#state.outstanding) this.#start(trial);
  }

  /** Asks for as many trials as the rule allows. */
  #ask(): void {
    const { trials, workers, seed } = this.#header;
    const state = this.#state;
    const { signal } = this.#stopping;
    while (
      !this.#waiting &&
      !signal.aborted &&
      state.trials.length < trials &&
      state.outstanding.length < workers
    ) {
      const proposal = this.#strategy.ask();
      if (proposal === undefined) {
        this.#waiting = true;
        return;
      }
      const trial = state.trials.length;
      const { continues } = proposal;
      this.#write({
        event: 'trial',
        trial,
        ...keysOf(proposal),
        seed:
          continues === undefined
            ? deriveSeed(seed, `trial ${trial}`)
            : (state.trials[continues] as TrialRequest).seed,
      });
      this.#start(state.trials[trial] as TrialRequest);
    }
  }

  /** Has a trial measured, unless it was in an earlier life of the run. */
  #start({ trial, seed, ...proposal }: TrialRequest): void {
    if (this.#recorded.has(trial)) return;
    const request = { trial, ...keysOf(proposal), seed };
    const kept = keptOutcome(this.#folder.trial(trial), request, (text) =>
      this.report({ kind: 'message', text }),
    );
    const outcome = kept === undefined ? this.#estimate(request) : Promise.resolve(kept);
    // A full disk is reported when the trial has its turn; until then nobody listens.
    outcome.catch(() => {});
    this.#outcomes.set(trial, outcome);
  }

  async #estimate(request: TrialRequest): Promise<Outcome> {
    const { signal } = this.#stopping;
    const started = performance.now();
    const { trial } = request;
    let outcome: Outcome;
    try {
      outcome = parseOutcome(
        await this.#estimator.estimate(
          { ...request, ...this.#checkpoints(request) },
          {
            signal,
            progress: (progress) => {
              if (!signal.aborted) this.report({ kind: 'progress', trial, progress });
            },
          },
        ),
      );
    } catch (error) {
      outcome = failureOf(error);
    }
    // What a trial that was stopped says about itself is not what it would have come to.
    signal.throwIfAborted();
    const seconds = Math.round(performance.now() - started) / 1000;
    outcome = { ...outcome, clock: { ...outcome.clock, seconds } };
    keepOutcome(this.#folder.trial(trial), request, outcome);
    return outcome;
  }

  /** Only the trials of a strategy that says how long children are trained can go on. */
  #checkpoints({ trial, epochs, continues }: TrialRequest): { readonly checkpoints?: Checkpoints } {
    if (epochs === undefined) return {};
    return {
      checkpoints: {
        save: this.#folder.checkpoint(trial),
        ...(continues === undefined ? {} : { load: this.#folder.checkpoint(continues) }),
      },
    };
  }

  /** The outcome of a trial, the next one to be told; undefined when the search is to stop. */
  async #outcomeOf(trial: number): Promise<Outcome | undefined> {
    const recorded = this.journal.next();
    if (recorded !== undefined) {
      if (recorded.event === 'result')
        return outcomeIn(recorded, `${this.#folder.journal}:${this.journal.position + 1}`);
      throw this.journal.contradiction({ event: 'result', trial });
    }
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(undefined);
      (this.#outcomes.get(trial) as Promise<Outcome>).then(resolve, reject);
    });
  }

  #tell(trial: number, { clock, ...outcome }: Outcome): void {
    this.#write({ event: 'result', trial, ...outcome }, clock);
    this.#outcomes.delete(trial);
    const asked = this.#state.trials[trial] as TrialRequest;
    // What was saved of the training that went on here is not needed any more.
    if (asked.continues !== undefined) this.#removeCheckpoint(asked.continues);
    const events = this.#strategy.tell({ trial, ...keysOf(asked), outcome: outcome as Outcome });
    for (const event of events) this.#write(this.#checked(event));
    this.#waiting = false;
    if (!this.journal.replaying && (events.length > 0 || this.#state.told % this.#snapshotEvery === 0)) {
      this.#snapshot();
    }
  }

  #checked(event: JournalEvent): JournalEvent {
    if (!ENGINE_EVENTS.includes(event.event) && !('clock' in event)) return event;
    throw new TypeError(
      `the strategy ${this.#strategy.name} has an event '${event.event}' of its own; ` +
        `${ENGINE_EVENTS.join(', ')} and the key clock are the journal's`,
    );
  }

  #removeCheckpoint(trial: number): void {
    rmSync(this.#folder.checkpoint(trial), { force: true });
  }

  #end(): SearchEnd {
    if (!this.journal.replaying) this.#snapshot();
    const { best, trials } = this.#state;
    for (const { trial, epochs } of trials) if (epochs !== undefined) this.#removeCheckpoint(trial);
    this.#write({ event: 'end', best: best && { ...best } });
    this.journal.finish();
    return { status: 'finished', state: this.#state };
  }

  #write(event: JournalEvent, clock: Clock = {}): void {
    const replayed = this.journal.replaying;
    const written = this.journal.write(event, { ...clock, ...now() });
    this.#state.apply(written);
    this.report({ kind: 'event', event: written, state: this.#state, replayed });
  }

  #snapshot(): void {
    const { position: events, digest } = this.journal;
    if (events === this.#snapshotAt) return;
    writeSnapshot(this.#folder.snapshot, {
      events,
      journal: digest,
      waiting: this.#waiting,
      strategy: this.#strategy.snapshot(),
    });
    this.#snapshotAt = events;
  }
}

/** What a strategy says of a trial, without keys that it does not name. */
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
