import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import { answersJson } from './answers-json.js';
import type {
  Asked,
  Proposal,
  Strategy,
  StrategyEvent,
  StrategySnapshot,
  TrialOutcome,
  TrialResult,
} from './strategy.js';

/** A strategy that proposes so many known architectures in a row will hardly find a new one. */
const MOST_REPEATS = 1000;

/** A trial of the inner strategy. */
interface InnerTrial {
  readonly trial: number;
  readonly proposal: Proposal;
}

/** A trial of the search, and those of the inner strategy that its result answers. */
interface Running {
  readonly key: string;
  readonly inner: InnerTrial[];
}

const proposalJson = z.strictObject({
  answers: answersJson,
  depth: z.exactOptional(z.number()),
  epochs: z.exactOptional(z.number()),
  continues: z.exactOptional(z.number()),
});
const outcomeJson = z.union([
  z.strictObject({
    status: z.literal('ok'),
    value: z.number(),
    goodness: z.number(),
    measures: z.record(z.string(), z.number()),
  }),
  z.strictObject({ status: z.literal('failed'), reason: z.string() }),
]);
const snapshotJson = z.strictObject({
  asked: z.int().min(0),
  trialOf: z.array(z.int().min(0)),
  known: z.array(z.tuple([z.string(), z.strictObject({ trial: z.int().min(0), outcome: outcomeJson })])),
  running: z.array(
    z.tuple([
      z.int().min(0),
      z.strictObject({
        key: z.string(),
        inner: z.array(z.strictObject({ trial: z.int().min(0), proposal: proposalJson })),
      }),
    ]),
  ),
  events: z.array(z.json()),
  strategy: z.json(),
});

/**
 * A strategy that has nothing trained twice. If the inner strategy proposes an architecture that was measured before
 * (with the same epochs and depth), it is told the known result at once, as if it had been measured again. If the
 * architecture is being measured, it is told when the result is there. So strategies that learn from repetitions, such
 * as the policy gradient of a controller, do so here, too.
 */
export class DistinctStrategy implements Strategy {
  #asked = 0;
  /** The trial of the search for each trial of the inner strategy. */
  #trialOf: number[] = [];
  readonly #known = new Map<string, { readonly trial: number; readonly outcome: TrialOutcome }>();
  readonly #running = new Map<number, Running>();
  /** Events that came with known results, until a trial of the search is told. */
  #events: StrategyEvent[] = [];
  readonly snapshot?: () => StrategySnapshot;
  readonly restore?: (snapshot: StrategySnapshot) => void;

  /** @param inner that is told what it asked for, and nothing else */
  constructor(private readonly inner: Strategy) {
    const { snapshot, restore } = inner;
    if (snapshot === undefined || restore === undefined) return;
    this.snapshot = () => this.#snapshot(snapshot.call(inner));
    this.restore = (saved) => this.#restore(saved, (own) => restore.call(inner, own));
  }

  ask(): Asked {
    for (let repeats = 0; repeats < MOST_REPEATS; repeats++) {
      const asked = this.inner.ask();
      if (typeof asked === 'string') return asked;
      const own = { trial: this.#trialOf.length, proposal: asked };
      const key = keyOf(asked);
      const known = this.#known.get(key);
      if (known !== undefined) {
        this.#trialOf.push(known.trial);
        this.#events.push(...(this.inner.tell({ ...asked, trial: own.trial, outcome: known.outcome }) ?? []));
        continue;
      }
      const running = [...this.#running].find(([, one]) => one.key === key);
      if (running !== undefined) {
        this.#trialOf.push(running[0]);
        running[1].inner.push(own);
        continue;
      }
      this.#trialOf.push(this.#asked);
      this.#running.set(this.#asked++, { key, inner: [own] });
      const { continues } = asked;
      return continues === undefined ? asked : { ...asked, continues: this.#trialOf[continues] as number };
    }
    return this.#running.size > 0 ? 'wait' : 'finished';
  }

  tell({ trial, outcome }: TrialResult): readonly StrategyEvent[] {
    const running = this.#running.get(trial);
    if (running === undefined) throw new InputError(`trial ${trial} is not running`);
    this.#running.delete(trial);
    this.#known.set(running.key, { trial, outcome });
    const events = [...this.#events];
    this.#events = [];
    for (const { trial: own, proposal } of running.inner)
      events.push(...(this.inner.tell({ ...proposal, trial: own, outcome }) ?? []));
    return events;
  }

  inform(result: Pick<TrialResult, 'answers' | 'depth' | 'outcome'>): void {
    this.inner.inform?.(result);
  }

  close(): void {
    this.inner.close?.();
  }

  #snapshot({ json: strategy, tensors }: StrategySnapshot): StrategySnapshot {
    const json = {
      asked: this.#asked,
      trialOf: [...this.#trialOf],
      known: [...this.#known],
      running: [...this.#running].map(([trial, { key, inner }]) => [trial, { key, inner: [...inner] }]),
      events: [...this.#events],
      strategy,
    };
    return { json: json as unknown as Json, tensors };
  }

  #restore({ json, tensors }: StrategySnapshot, restoreInner: (snapshot: StrategySnapshot) => void): void {
    const parsed = snapshotJson.safeParse(json);
    if (!parsed.success)
      throw new InputError(`not a snapshot of a search with --distinct: ${z.prettifyError(parsed.error)}`);
    const { asked, trialOf, known, running, events, strategy } = parsed.data;
    restoreInner({ json: strategy as Json, tensors });
    this.#asked = asked;
    this.#trialOf = trialOf;
    this.#known.clear();
    for (const [key, one] of known) this.#known.set(key, one);
    this.#running.clear();
    for (const [trial, one] of running) this.#running.set(trial, one);
    this.#events = events as unknown as StrategyEvent[];
  }
}

/** Equal for trials whose results are equal but for the seed of the training. */
function keyOf({ answers, depth, epochs }: Proposal): string {
  return JSON.stringify([answers, depth ?? null, epochs ?? null]);
}
