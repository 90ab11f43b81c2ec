import { isDeepStrictEqual } from 'node:util';
import { failureOf } from './failure.js';
import type { Clock } from './journal-event.js';
import { type Outcome, parseOutcome } from './outcome.js';
import type { RunState } from './run-state.js';

interface LateOutcome {
  readonly trial: number;
  readonly outcome: Outcome;
}

/**
 * Outcomes of attempts at a trial that had been given up, such as those of a worker that could not be reached for a while.
 * They wait until the trial has its outcome, and are compared with that.
 */
export class LateOutcomes {
  #waiting: LateOutcome[] = [];

  /** @param journaled the outcomes that were told, by trial */
  constructor(
    private readonly state: RunState,
    private readonly journaled: () => ReadonlyMap<number, Outcome>,
  ) {}

  take(trial: number, outcome: unknown): void {
    this.#waiting.push({ trial, outcome: parsed(outcome, this.state) });
  }

  /** Those that differ in what the seed determines. Each is compared once. */
  differences(): {
    readonly trial: number;
    readonly outcome: Omit<Outcome, 'clock'>;
    readonly clock: Clock;
  }[] {
    const isToWait = ({ trial }: LateOutcome) => this.state.isRunning(trial);
    const comparable = this.#waiting.filter((late) => !isToWait(late));
    this.#waiting = this.#waiting.filter(isToWait);
    if (comparable.length === 0) return [];
    const journaled = this.journaled();
    return comparable.flatMap(({ trial, outcome: { clock = {}, ...outcome } }) => {
      const { clock: _, cost, ...accepted } = journaled.get(trial) ?? {};
      // Only the estimator knows the cost, and it follows from the trial.
      const whole = cost === undefined ? accepted : { ...accepted, cost };
      const isSame = isDeepStrictEqual(outcome, outcome.cost === undefined ? accepted : whole);
      return isSame ? [] : [{ trial, outcome, clock }];
    });
  }
}

function parsed(outcome: unknown, { objectives }: RunState): Outcome {
  try {
    return parseOutcome(outcome, objectives);
  } catch (error) {
    return failureOf(error);
  }
}
