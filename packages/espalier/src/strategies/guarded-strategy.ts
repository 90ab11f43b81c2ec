import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { decidingValue, goodness, type Objectives } from '../measures/measure.js';
import { resolveOptions } from '../space/options.js';
import type { Space } from '../space/space.js';
import type {
  AnyStrategyDefinition,
  Asked,
  Elsewhere,
  Proposal,
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
 * of range, results of another proposal than that of the trial, and trials that were told before or never asked for are
 * errors, instead of leading the search astray unnoticed.
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

const proposalJson = z.strictObject({
  answers: z.array(z.union([z.int(), z.array(z.int())])),
  depth: z.number().optional(),
  epochs: z.int().optional(),
  continues: z.int().optional(),
});

const snapshotJson = z.strictObject({
  asked: z.int().min(0),
  running: z.array(z.strictObject({ trial: z.int().min(0), proposal: proposalJson })),
  strategy: z.json(),
});

/** What a proposal consists of, in the order in which it is compared. */
const KEYS = ['answers', 'depth', 'epochs', 'continues'] as const;

/** A strategy whose every call is checked. */
export class GuardedStrategy implements Strategy {
  /** Number of trials that were asked for. */
  #asked = 0;
  /** The trials that have no result yet, and what was proposed. */
  #running = new Map<number, Proposal>();
  readonly snapshot?: () => StrategySnapshot;
  readonly restore?: (snapshot: StrategySnapshot) => void;
  readonly elsewhere?: Elsewhere;

  constructor(
    readonly name: string,
    private readonly strategy: Strategy,
    private readonly space: Space,
    private readonly objectives: Objectives,
  ) {
    if (strategy.elsewhere !== undefined) this.elsewhere = this.#guard(strategy.elsewhere);
    if (strategy.snapshot === undefined || strategy.restore === undefined) return;
    this.snapshot = () => {
      const { json, tensors } = (strategy.snapshot as () => StrategySnapshot)();
      const running = [...this.#running].map(([trial, proposal]) => ({ trial, proposal: { ...proposal } }));
      return { json: { asked: this.#asked, running, strategy: json } as unknown as Json, tensors };
    };
    this.restore = (snapshot) => this.#restore(snapshot);
  }

  ask(): Asked {
    const asked = this.strategy.ask();
    if (typeof asked === 'string') {
      const mayWait = this.#running.size > 0 || this.elsewhere !== undefined;
      if (asked === 'finished' || (asked === 'wait' && mayWait)) return asked;
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
    this.#running.set(this.#asked++, proposalOf(asked));
    return asked;
  }

  tell(result: TrialResult): readonly StrategyEvent[] {
    const { trial, outcome } = result;
    const asked = this.#running.get(trial);
    if (asked === undefined)
      throw new InputError(
        `strategy ${this.name}: trial ${trial} ${trial < this.#asked ? 'has its result already' : 'was never asked for'}`,
      );
    this.#checkProposal(trial, asked, result);
    this.#checkOutcome(`trial ${trial}`, outcome);
    this.#running.delete(trial);
    return this.strategy.tell(result) ?? [];
  }

  inform(result: Pick<TrialResult, 'answers' | 'depth' | 'outcome'>): void {
    this.#checkOutcome('an enqueued architecture', result.outcome);
    this.strategy.inform?.(result);
  }

  close(): void {
    this.strategy.close?.();
  }

  #guard(own: Elsewhere): Elsewhere {
    return {
      begin: (search, arrived) => own.begin(search, arrived),
      recall: (proposal) => {
        own.recall(proposal);
        this.#running.set(this.#asked++, proposalOf(proposal));
      },
      recallEvent: (event) => own.recallEvent(event),
      takeEvents: () => own.takeEvents(),
      end: (finished) => own.end(finished),
    };
  }

  #checkProposal(trial: number, asked: Proposal, told: Proposal): void {
    for (const key of KEYS)
      if (!isDeepStrictEqual(told[key], asked[key]))
        throw new InputError(
          `strategy ${this.name}: the result of trial ${trial} is told with the ${key} ${JSON.stringify(told[key])}; ` +
            `it was asked for with ${JSON.stringify(asked[key])}`,
        );
  }

  #checkOutcome(of: string, outcome: TrialOutcome): void {
    const { status } = outcome;
    if (status === 'failed') return;
    if (status !== 'ok')
      throw new InputError(
        `strategy ${this.name}: the status of ${of} is '${status}'; allowed: 'ok', 'failed'`,
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
        `strategy ${this.name}: the value of ${of} is ${outcome.value}, but its ${objective.name} is ${value}`,
      );
    const good = goodness(objective, value);
    if (good !== outcome.goodness)
      throw new InputError(
        `strategy ${this.name}: the goodness of ${of} is ${outcome.goodness}, but its ${objective.name} ` +
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
    this.#running = new Map(running.map(({ trial, proposal }) => [trial, proposalOf(proposal as Proposal)]));
  }
}

/** A proposal of its own, without the keys that it lacks: the strategy may change its own afterwards. */
function proposalOf(asked: Proposal): Proposal {
  const given = KEYS.filter((key) => asked[key] !== undefined).map((key) => [
    key,
    structuredClone(asked[key]),
  ]);
  return Object.fromEntries(given) as unknown as Proposal;
}
