import type { Json } from '../json.js';
import type { Objectives } from '../measures/measure.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { Estimator, TrialRequest } from './estimator.js';
import { failureOf } from './failure.js';
import { keepOutcome, keptOutcome } from './kept-outcome.js';
import { type Outcome, parseOutcome } from './outcome.js';
import type { RunFolder } from './run-folder.js';

/** What trials at work need of their search. */
interface Surroundings {
  readonly folder: RunFolder;
  readonly estimator: Estimator;
  readonly objectives: Objectives;
  readonly checkpoints: CheckpointStore;
  /** Is aborted when the search ends for any reason, and ends the trials. */
  readonly signal: AbortSignal;
  /** Whether the result of a trial may be told as soon as it arrives; otherwise it is kept until its turn. */
  isItsTurn(trial: number): boolean;
  /** Is called after a trial has ended. */
  arrived(): void;
  progress(trial: number, progress: Json): void;
  message(text: string): void;
}

/** The trials that are measured, and those that were and wait for their turn to be told. */
export class TrialsAtWork {
  readonly #outcomes = new Map<number, Promise<Outcome>>();
  /** The trials that have ended and were not taken, in the order of their arrival. */
  readonly #arrived: number[] = [];

  constructor(private readonly search: Surroundings) {}

  /** Starts to measure a trial, unless an earlier life of the run has measured it and kept the outcome. */
  start(request: TrialRequest): void {
    const { folder, objectives, message } = this.search;
    const { trial, epochsDone: _, ...asked } = request;
    const kept = keptOutcome(folder.trial(trial), { trial, ...asked }, objectives, message);
    const outcome = kept === undefined ? this.#estimate(request) : Promise.resolve(kept);
    this.#outcomes.set(trial, outcome);
    const arrive = () => {
      this.#arrived.push(trial);
      this.search.arrived();
    };
    // If it rejects, for example because the disk is full, the error is thrown when the trial has its turn.
    outcome.then(arrive, arrive);
  }

  /**
   * Takes a trial that has ended.
   *
   * @param wanted by default the one that ended first
   * @returns undefined while it has not ended
   */
  take(wanted?: number): { readonly trial: number; readonly outcome: Promise<Outcome> } | undefined {
    const place = wanted === undefined ? 0 : this.#arrived.indexOf(wanted);
    const trial = place < 0 ? undefined : this.#arrived[place];
    if (trial === undefined) return undefined;
    this.#arrived.splice(place, 1);
    return { trial, outcome: this.#outcomes.get(trial) as Promise<Outcome> };
  }

  /** Its outcome is in the journal. */
  forget(trial: number): void {
    this.#outcomes.delete(trial);
    this.search.estimator.forget?.(trial);
  }

  async #estimate(request: TrialRequest): Promise<Outcome> {
    const { folder, estimator, objectives, checkpoints, signal } = this.search;
    const started = performance.now();
    const { trial, epochsDone: _, ...asked } = request;
    let outcome: Outcome;
    try {
      outcome = parseOutcome(
        await estimator.estimate(request, {
          signal,
          progress: (progress) => {
            if (!signal.aborted) this.search.progress(trial, progress);
          },
          // Trials can be continued only if their strategy says how long they are trained.
          ...(request.epochs === undefined ? {} : { checkpoints }),
        }),
        objectives,
      );
    } catch (error) {
      outcome = failureOf(error);
    }
    // What a stopped trial returns is not its outcome.
    signal.throwIfAborted();
    const seconds = Math.round(performance.now() - started) / 1000;
    outcome = { ...outcome, clock: { ...outcome.clock, seconds } };
    if (!this.search.isItsTurn(trial)) keepOutcome(folder.trial(trial), { trial, ...asked }, outcome);
    return outcome;
  }
}
