import { z } from 'zod';
import { InputError } from '../input-error.js';
import { decidingValue, goodness, type Objectives } from '../measures/measure.js';
import { resolveOptions } from '../space/options.js';
import type { Space } from '../space/space.js';
import type {
  AnyStrategyDefinition,
  Asked,
  Strategy,
  StrategyEvent,
  StrategySnapshot,
  TrialOutcome,
  TrialResult,
} from './strategy.js';

/** What a strategy is created with. */
export interface StrategyRequest {
  readonly space: Space;
  readonly seed: number;
  /** Options that are not named have their defaults. */
  readonly options?: object;
  readonly objectives: Objectives;
}

/**
 * Creates a strategy whose every call is checked. Wrong options, illegal proposals, results that are not numbers or out
 * of range, and trials that were told before or never asked for are errors, instead of leading the search astray
 * unnoticed.
 *
 * @throws InputError for an option that does not exist or has a value that is not allowed
 */
export function createStrategy(
  definition: AnyStrategyDefinition,
  { space, seed, options = {}, objectives }: StrategyRequest,
): GuardedStrategy {
  const resolved = resolveOptions(`strategy ${definition.name}`, definition.options, options);
  return new GuardedStrategy(
    definition.name,
    definition.create({ space, seed, options: resolved, objectives }),
    space,
    objectives,
  );
}

const snapshotJson = z.strictObject({
  asked: z.int().min(0),
  running: z.array(z.int().min(0)),
  strategy: z.json(),
});

/** A strategy whose every call is checked. */
export class GuardedStrategy implements Strategy {
  /** Number of trials that were asked for. */
  #asked = 0;
  /** The trials that have no result yet. */
  #running = new Set<number>();
  readonly snapshot?: () => StrategySnapshot;
  readonly restore?: (snapshot: StrategySnapshot) => void;

  constructor(
    readonly name: string,
    private readonly strategy: Strategy,
    private readonly space: Space,
    private readonly objectives: Objectives,
  ) {
    if (strategy.snapshot === undefined || strategy.restore === undefined) return;
    this.snapshot = () => {
      const { json, tensors } = (strategy.snapshot as () => StrategySnapshot)();
      return { json: { asked: this.#asked, running: [...this.#running], strategy: json }, tensors };
    };
    this.restore = (snapshot) => this.#restore(snapshot);
  }

  ask(): Asked {
    const asked = this.strategy.ask();
    if (typeof asked === 'string') {
      if (asked === 'finished' || (asked === 'wait' && this.#running.size > 0)) return asked;
      throw new InputError(
        asked === 'wait'
          ? `strategy ${this.name} waits for a result although no trial is running; it should say 'finished'`
          : `strategy ${this.name}: ask() returns '${asked}'; allowed: a proposal, 'wait', 'finished'`,
      );
    }
    if (!Array.isArray(asked?.answers))
      throw new InputError(
        `strategy ${this.name}: ask() returns ${JSON.stringify(asked) ?? 'nothing'}; allowed: an object with the ` +
          "decision sequence as its key 'answers', 'wait', 'finished'",
      );
    const { depth, answers } = asked;
    try {
      (depth === undefined ? this.space : this.space.withDepth(depth)).trace(answers);
    } catch (error) {
      throw new InputError(
        `strategy ${this.name} proposes no architecture of its space: ${(error as Error).message}`,
      );
    }
    this.#running.add(this.#asked++);
    return asked;
  }

  tell(result: TrialResult): readonly StrategyEvent[] {
    const { trial, outcome } = result;
    if (!this.#running.has(trial))
      throw new InputError(
        `strategy ${this.name}: trial ${trial} ${trial < this.#asked ? 'has its result already' : 'was never asked for'}`,
      );
    this.#checkOutcome(trial, outcome);
    this.#running.delete(trial);
    return this.strategy.tell(result) ?? [];
  }

  close(): void {
    this.strategy.close?.();
  }

  #checkOutcome(trial: number, outcome: TrialOutcome): void {
    const { status } = outcome;
    if (status === 'failed') return;
    if (status !== 'ok')
      throw new InputError(
        `strategy ${this.name}: the status of trial ${trial} is '${status}'; allowed: 'ok', 'failed'`,
      );
    const [objective] = this.objectives;
    let value: number;
    try {
      value = decidingValue(this.objectives, outcome.measures);
    } catch (error) {
      throw new InputError(`strategy ${this.name}: ${(error as Error).message}`);
    }
    if (value !== outcome.value)
      throw new InputError(
        `strategy ${this.name}: the value of trial ${trial} is ${outcome.value}, but its ${objective.name} is ${value}`,
      );
    const good = goodness(objective, value);
    if (good !== outcome.goodness)
      throw new InputError(
        `strategy ${this.name}: the goodness of trial ${trial} is ${outcome.goodness}, but its ${objective.name} ` +
          `of ${value} makes it ${good}`,
      );
  }

  #restore({ json, tensors }: StrategySnapshot): void {
    const parsed = snapshotJson.safeParse(json);
    if (!parsed.success)
      throw new InputError(`not a snapshot of strategy ${this.name}: ${z.prettifyError(parsed.error)}`);
    const { asked, running, strategy } = parsed.data;
    this.strategy.restore?.({ json: strategy, tensors });
    this.#asked = asked;
    this.#running = new Set(running);
  }
}
