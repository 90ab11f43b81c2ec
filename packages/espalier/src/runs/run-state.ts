import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import { isBetter, type Measured, measured, measuredValue, measureOf } from '../tasks/measure.js';
import type { TrialRequest } from './estimator.js';
import type { JournalEvent, RunHeader } from './journal-event.js';
import { type Outcome, parseOutcome } from './outcome.js';
import { VirtualTime } from './virtual-time.js';

/** A trial that was asked for; its outcome once it was told. */
export interface TrialState extends TrialRequest {
  readonly outcome?: Outcome;
}

/** The best of the trials, and the value that it was chosen for. */
type BestTrial = { readonly trial: number } & Measured;

/** A point of the curve of a search: what a trial was measured to be, and the best up to it. */
interface CurvePoint {
  readonly trial: number;
  readonly value: number;
  readonly best: number;
}

/** The events with a meaning for every search; all others are the strategy's own. */
export const ENGINE_EVENTS: readonly string[] = ['run', 'trial', 'result', 'end'];

const header = z.looseObject({
  event: z.literal('run', { error: 'a journal begins with the event run' }),
  seed: z.int(),
  trials: z.int().min(1),
  workers: z.int().min(1),
});
const answers = z.array(z.union([z.int(), z.array(z.int())]));
const asked = z.object({
  trial: z.int(),
  answers,
  depth: z.exactOptional(z.number()),
  epochs: z.exactOptional(z.int().min(1)),
  continues: z.exactOptional(z.int()),
  seed: z.int(),
});
const told = z.looseObject({ trial: z.int() });

/**
 * What a journal says about a run: the fold of its events, which are applied one after the other. All that is
 * ever known of a run is in here, whether it is at work, was killed, or has ended.
 */
export class RunState {
  readonly header: RunHeader;
  /** By number. */
  readonly trials: readonly TrialState[] = [];
  /** How many events were applied: the number of lines of the journal. */
  events = 1;
  /** The trials that have their result, in the order in which they were told. */
  readonly results: readonly TrialState[] = [];
  /** How many of these were trained and measured. */
  done = 0;
  /**
   * The first of the results with the best value, however many epochs the child has had: successive halving too is
   * judged by what it has measured on any rung (Li et al. 2018).
   */
  best: BestTrial | null = null;
  /** A point for every trial that was measured, in the order of the results. */
  readonly curve: readonly CurvePoint[] = [];
  /** The trials that failed, in the order of the results. */
  readonly failures: readonly { readonly trial: number; readonly reason: string }[] = [];
  /** What the strategy did, in order: its own events. */
  readonly updates: readonly JournalEvent[] = [];
  finished = false;
  readonly #time = new VirtualTime();
  /** Of each trial the child that it trains. */
  readonly #children: number[] = [];
  readonly #continued = new Set<number>();

  /**
   * @param source where the events stand, for messages: the file of the journal
   * @throws InputError for an event that does not begin a run
   */
  constructor(
    begin: JournalEvent,
    private readonly source: string,
  ) {
    const { event: _, clock: __, ...fields } = parsed(header, begin, `${source}:1`);
    this.header = fields as RunHeader;
  }

  /**
   * The state after all events of a journal.
   *
   * @param source as for the constructor
   * @throws InputError that names the line of an event that cannot follow
   */
  static of(events: readonly JournalEvent[], source: string): RunState {
    const [begin, ...rest] = events;
    if (begin === undefined) throw new InputError(`${source}: a journal without events is of no run`);
    const state = new RunState(begin, source);
    for (const event of rest) state.apply(event);
    return state;
  }

  /** How many trials have their result. */
  get told(): number {
    return this.results.length;
  }

  /** How many trials failed. */
  get failed(): number {
    return this.failures.length;
  }

  /** The trials that were asked for and have no result yet. */
  get outstanding(): readonly TrialState[] {
    return this.#time.running.map((trial) => this.trials[trial] as TrialState);
  }

  /** The trial whose result has to come next; undefined where none is outstanding. */
  get next(): number | undefined {
    return this.#time.next;
  }

  /** How many children, each with an architecture of its own, were begun; a child that goes on is another trial of it. */
  get children(): number {
    return this.trials.length - this.#continued.size;
  }

  /** The child that a trial trains. Children are numbered from 0, in the order in which they were begun. */
  childOf(trial: number): number {
    return this.#children[trial] as number;
  }

  /** @throws InputError for an event that cannot follow; the state is as it was then */
  apply(event: JournalEvent): void {
    const place = `${this.source}:${this.events + 1}`;
    if (this.finished) throw new InputError(`${place}: '${event.event}' after the end`);
    switch (event.event) {
      case 'run':
        throw new InputError(`${place}: the run begins a second time`);
      case 'trial': {
        const trial = parsed(asked, event, place);
        requireTrial(trial.trial, this.trials.length, place);
        this.#ask(trial, place);
        break;
      }
      case 'result': {
        const { trial } = parsed(told, event, place);
        this.#tell(trial, outcomeIn(event, place), place);
        break;
      }
      case 'end':
        this.finished = true;
        break;
      default:
        (this.updates as JournalEvent[]).push(event);
    }
    this.events++;
  }

  #ask(trial: TrialState, place: string): void {
    const { continues, epochs } = trial;
    let duration = epochs ?? 1;
    if (continues === undefined) this.#children.push(this.children);
    else {
      const before = this.trials[continues];
      const goesOn =
        before?.outcome?.status === 'ok' &&
        before.epochs !== undefined &&
        epochs !== undefined &&
        epochs > before.epochs &&
        isDeepStrictEqual(
          [before.answers, before.depth, before.seed],
          [trial.answers, trial.depth, trial.seed],
        ) &&
        !this.#continued.has(continues);
      if (!goesOn)
        throw new InputError(`${place}: trial ${trial.trial} cannot go on with trial ${continues}`);
      duration -= before.epochs;
      this.#continued.add(continues);
      this.#children.push(this.childOf(continues));
    }
    this.#time.begin(trial.trial, duration);
    (this.trials as TrialState[]).push(trial);
  }

  #tell(trial: number, outcome: Outcome, place: string): void {
    const { next } = this;
    if (next === undefined)
      throw new InputError(`${place}: the result of trial ${trial}, which was not asked for`);
    requireTrial(trial, next, place);
    if (outcome.status === 'ok' && this.best !== null && measureOf(this.best) !== measureOf(outcome))
      throw new InputError(
        `${place}: trial ${trial} is measured by its ${measureOf(outcome).name}, the trials before by their ${measureOf(this.best).name}`,
      );
    this.#time.end();
    const told = { ...(this.trials[trial] as TrialState), outcome };
    (this.trials as TrialState[])[trial] = told;
    (this.results as TrialState[]).push(told);
    if (outcome.status === 'failed') {
      (this.failures as { trial: number; reason: string }[]).push({ trial, reason: outcome.reason });
      return;
    }
    this.done++;
    const measure = measureOf(outcome);
    const value = measuredValue(outcome);
    if (this.best === null || isBetter(measure, value, measuredValue(this.best)))
      this.best = { trial, ...measured(measure, value) };
    (this.curve as CurvePoint[]).push({ trial, value, best: measuredValue(this.best) });
  }
}

function requireTrial(trial: number, expected: number, place: string): void {
  if (trial === expected) return;
  throw new InputError(`${place}: trial ${trial} where trial ${expected} has to come`);
}

/** The outcome in a line of the journal. */
export function outcomeIn(event: JournalEvent, place: string): Outcome {
  const { event: _, trial: __, ...outcome } = event;
  try {
    return parseOutcome(outcome);
  } catch (error) {
    throw new InputError(`${place}: ${(error as Error).message}`);
  }
}

function parsed<T>(schema: z.ZodType<T>, event: JournalEvent, place: string): T {
  const result = schema.safeParse(event);
  if (result.success) return result.data;
  throw new InputError(`${place}: event '${event.event}': ${z.prettifyError(result.error)}`);
}
