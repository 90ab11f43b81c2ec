import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import {
  decidingValue,
  isBetter,
  type Measure,
  type Measures,
  type Objectives,
  objectivesSchema,
} from '../measures/measure.js';
import { AMENDED } from './amendments.js';
import type { TrialRequest } from './estimator.js';
import type { JournalEvent, RunHeader } from './journal-event.js';
import { type Outcome, parseOutcome } from './outcome.js';
import { VirtualTime } from './virtual-time.js';

/** A trial that was asked for, with its outcome once there is one. */
export interface TrialState extends TrialRequest {
  /** What its answers mean: the architecture, in the form that the field uses. */
  readonly architecture?: Json;
  readonly outcome?: Outcome;
}

/** The best of the trials. */
export interface BestTrial {
  readonly trial: number;
  /** Value of the deciding measure. */
  readonly value: number;
  /** Values of the objectives of the search, by name. */
  readonly measures: Measures;
}

/** A point of the curve of a search: the value of a trial, and the best value so far. */
interface CurvePoint {
  readonly trial: number;
  readonly value: number;
  readonly best: number;
}

/** The event of an attempt that had been given up and came to something else than the journal has. */
export const DIFFERENCE = 'difference';

/** The events of the engine. All others are events of the strategy. */
export const ENGINE_EVENTS: readonly string[] = [
  'run',
  'trial',
  'result',
  'limit',
  'end',
  AMENDED,
  DIFFERENCE,
];

const header = z.looseObject({
  event: z.literal('run', { error: 'a journal begins with the event run' }),
  seed: z.int(),
  trials: z.exactOptional(z.int().min(1)),
  seconds: z.exactOptional(z.number().positive()),
  cost: z.exactOptional(z.number().positive()),
  workers: z.int().min(1),
  order: z.enum(['arrival', 'virtual']),
  objectives: objectivesSchema,
});
const answers = z.array(z.union([z.int(), z.array(z.int())]));
const asked = z.object({
  trial: z.int(),
  answers,
  depth: z.exactOptional(z.number()),
  epochs: z.exactOptional(z.int().min(1)),
  continues: z.exactOptional(z.int()),
  seed: z.int(),
  architecture: z.exactOptional(z.json() as z.ZodType<Json>),
});
const told = z.looseObject({ trial: z.int() });
const amended = z.object({
  trials: z.exactOptional(z.int().min(1)),
  timeoutSeconds: z.exactOptional(z.number().positive()),
  retry: z.exactOptional(z.array(z.int())),
});

/**
 * The state of a search according to its journal: a fold over the events. It contains everything that is known about
 * the search, whether it is running, was killed or has ended.
 */
export class RunState {
  /** The first event, with the budgets as they were amended. */
  header: RunHeader;
  /** The time limit of a trial, if it was amended. */
  timeoutSeconds: number | undefined;
  /** All trials, by number. */
  readonly trials: readonly TrialState[] = [];
  /** Number of events that were applied, which is the number of lines of the journal. */
  events = 1;
  /** The trials that have a result, in the order in which the results were told. */
  results: readonly TrialState[] = [];
  /** Number of results that are not failures. */
  done = 0;
  /** Total cost of the results, in the unit of the estimator. */
  cost = 0;
  /**
   * The first result with the best value, regardless of the epochs of the child: successive halving, too, is judged by
   * what it has measured on any rung (Li et al. 2018).
   */
  best: BestTrial | null = null;
  /** A point for every result that is not a failure, in the order of the results. */
  readonly curve: readonly CurvePoint[] = [];
  /** The trials that failed, in the order of the results. */
  failures: readonly { readonly trial: number; readonly reason: string }[] = [];
  /** The events of the strategy, in order. */
  readonly updates: readonly JournalEvent[] = [];
  /** Number of children whose architecture an earlier child has too. They are trained again: the seeds differ. */
  repeated = 0;
  /** The trials of which a late attempt came to something else: what their seed determines was not the same. */
  readonly differences: readonly number[] = [];
  /** Whether the budget of seconds is spent, so that no trial begins any more. */
  limited = false;
  finished = false;
  /** Seconds for which the search has worked, over all its lives. */
  seconds = 0;
  readonly #time = new VirtualTime();
  /** How often each trial was told: twice if it was tried again. */
  readonly #told = new Map<number, number>();
  /** The child of each trial. */
  readonly #children: number[] = [];
  readonly #continued = new Set<number>();
  readonly #architectures = new Set<string>();

  /**
   * @param source where the events come from, for messages: the file of the journal
   * @param keeps what is kept of a trial: all that the journal has, or what a search at work decides by. A search may have
   *   100,000 of them; architectures, curves and clocks are only for reports, which read the journal
   * @throws InputError for an event that cannot begin a search
   */
  constructor(
    begin: JournalEvent,
    private readonly source: string,
    private readonly keeps: 'everything' | 'what decides' = 'everything',
  ) {
    const { event: _, clock: __, ...fields } = parsed(header, begin, `${source}:1`);
    this.header = fields as unknown as RunHeader;
  }

  /**
   * The state after all events of a journal.
   *
   * @param source as in the constructor
   * @throws InputError for an event that cannot follow, with its line
   */
  static of(events: readonly JournalEvent[], source: string): RunState {
    const [begin, ...rest] = events;
    if (begin === undefined) throw new InputError(`${source}: the journal has no events`);
    const state = new RunState(begin, source);
    for (const event of rest) state.apply(event);
    return state;
  }

  get objectives(): Objectives {
    return this.header.objectives;
  }

  /** The deciding measure. */
  get objective(): Measure {
    return this.header.objectives[0];
  }

  /** Number of trials that have a result. */
  get told(): number {
    return this.results.length;
  }

  /** How many trials failed. */
  get failed(): number {
    return this.failures.length;
  }

  /** How many trials were asked for and have no result yet. */
  get running(): number {
    return this.trials.length - this.results.length;
  }

  /** Whether a trial was asked for and has no result yet. */
  isRunning(trial: unknown): boolean {
    return typeof trial === 'number' && this.#time.isRunning(trial);
  }

  /** The trials that were asked for and have no result yet, in the order in which they were asked for. */
  get outstanding(): readonly TrialState[] {
    return this.#time.running.map((trial) => this.trials[trial] as TrialState);
  }

  /** The trial whose result comes next in virtual time; undefined if none is running. */
  get next(): number | undefined {
    return this.#time.next;
  }

  /** Number of children, each with an architecture of its own. A child that is trained further has several trials. */
  get children(): number {
    return this.trials.length - this.#continued.size;
  }

  /** The child that a trial trains. Children are numbered from 0, in the order in which they begin. */
  childOf(trial: number): number {
    return this.#children[trial] as number;
  }

  /** @throws InputError for an event that cannot follow. The state does not change then */
  apply(event: JournalEvent): void {
    const place = `${this.source}:${this.events + 1}`;
    if (this.finished && event.event !== AMENDED)
      throw new InputError(`${place}: '${event.event}' after the end`);
    switch (event.event) {
      case 'run':
        throw new InputError(`${place}: the run begins a second time`);
      case 'trial': {
        const trial = parsed(asked, event, place);
        if (trial.trial !== this.trials.length)
          throw new InputError(
            `${place}: trial ${trial.trial} where trial ${this.trials.length} has to come`,
          );
        this.#ask(trial, place);
        break;
      }
      case 'result': {
        const { trial } = parsed(told, event, place);
        this.#tell(trial, outcomeIn(event, this.objectives, place), place);
        break;
      }
      case 'limit':
        this.limited = true;
        break;
      case 'end':
        this.finished = true;
        break;
      case AMENDED:
        this.#amend(event, place);
        break;
      case DIFFERENCE:
        (this.differences as number[]).push(parsed(told, event, place).trial);
        break;
      default:
        (this.updates as JournalEvent[]).push(event);
    }
    if (typeof event.clock?.elapsed === 'number') this.seconds = event.clock.elapsed;
    this.events++;
  }

  /** How many results a trial has had: several if it was tried again. */
  timesTold(trial: number): number {
    return this.#told.get(trial) ?? 0;
  }

  #amend(event: JournalEvent, place: string): void {
    const { trials, timeoutSeconds, retry = [] } = parsed(amended, event, place);
    const wrong = retry.find((trial) => this.trials[trial]?.outcome?.status !== 'failed');
    if (wrong !== undefined)
      throw new InputError(`${place}: trial ${wrong} is to be tried again, but has not failed`);
    if (trials !== undefined) this.header = { ...this.header, trials };
    if (timeoutSeconds !== undefined) this.timeoutSeconds = timeoutSeconds;
    this.finished = false;
    for (const number of retry) {
      const { outcome: _, ...trial } = this.trials[number] as TrialState;
      (this.trials as TrialState[])[number] = trial;
      const before = trial.continues === undefined ? 0 : (this.trials[trial.continues]?.epochs ?? 0);
      this.#time.begin(number, (trial.epochs ?? 1) - before);
    }
    const isKept = ({ trial }: { readonly trial: number }) => !retry.includes(trial);
    this.results = this.results.filter(isKept);
    this.failures = this.failures.filter(isKept);
  }

  #ask(trial: TrialState, place: string): void {
    const { continues, epochs } = trial;
    let duration = epochs ?? 1;
    if (continues === undefined) {
      this.#children.push(this.children);
      const architecture = JSON.stringify([trial.answers, trial.depth]);
      if (this.#architectures.has(architecture)) this.repeated++;
      this.#architectures.add(architecture);
    } else {
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
      if (!goesOn) throw new InputError(`${place}: trial ${trial.trial} cannot continue trial ${continues}`);
      duration -= before.epochs;
      this.#continued.add(continues);
      this.#children.push(this.childOf(continues));
    }
    this.#time.begin(trial.trial, duration);
    const { architecture: _, ...deciding } = trial;
    (this.trials as TrialState[]).push(this.keeps === 'everything' ? trial : deciding);
  }

  #tell(trial: number, outcome: Outcome, place: string): void {
    if (!this.#time.isRunning(trial))
      throw new InputError(
        `${place}: the result of trial ${trial}, which ${trial < this.trials.length ? 'has its result already' : 'was not asked for'}`,
      );
    if (this.header.order === 'virtual' && trial !== this.next)
      throw new InputError(`${place}: the result of trial ${trial} where that of trial ${this.next} comes`);
    this.#time.end(trial);
    this.#told.set(trial, this.timesTold(trial) + 1);
    const kept = this.keeps === 'everything' ? outcome : decidingIn(outcome);
    const told = { ...(this.trials[trial] as TrialState), outcome: kept };
    (this.trials as TrialState[])[trial] = told;
    (this.results as TrialState[]).push(told);
    this.cost += outcome.cost ?? 0;
    if (outcome.status === 'failed') {
      (this.failures as { trial: number; reason: string }[]).push({ trial, reason: outcome.reason });
      return;
    }
    this.done++;
    const value = decidingValue(this.objectives, outcome.measures);
    if (this.best === null || isBetter(this.objective, value, this.best.value))
      this.best = { trial, value, measures: this.#objectiveValues(outcome.measures) };
    (this.curve as CurvePoint[]).push({ trial, value, best: this.best.value });
  }

  #objectiveValues(measures: Measures): Measures {
    return Object.fromEntries(
      this.objectives.flatMap(({ name }) =>
        measures[name] === undefined ? [] : [[name, measures[name] as number]],
      ),
    );
  }
}

/** An outcome without curves, details and clock. */
function decidingIn(outcome: Outcome): Outcome {
  const cost = outcome.cost === undefined ? {} : { cost: outcome.cost };
  return outcome.status === 'ok'
    ? { status: 'ok', measures: outcome.measures, ...cost }
    : { status: 'failed', reason: outcome.reason, ...cost };
}

/** The outcome in a line of the journal. @throws InputError if it is invalid, with the line */
export function outcomeIn(event: JournalEvent, objectives: Objectives, place: string): Outcome {
  const { event: _, trial: __, ...outcome } = event;
  try {
    return parseOutcome(outcome, objectives);
  } catch (error) {
    throw new InputError(`${place}: ${(error as Error).message}`);
  }
}

function parsed<T>(schema: z.ZodType<T>, event: JournalEvent, place: string): T {
  const result = schema.safeParse(event);
  if (result.success) return result.data;
  throw new InputError(`${place}: event '${event.event}': ${z.prettifyError(result.error)}`);
}
