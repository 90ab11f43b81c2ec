import { z } from 'zod';
import { InputError } from '../input-error.js';
import type { Json } from '../json.js';
import type { Answer } from '../space/language.js';
import type { Asked, Strategy, StrategyEvent, StrategySnapshot, TrialResult } from './strategy.js';

const snapshotJson = z.strictObject({ enqueued: z.int().min(0), strategy: z.json() });

/**
 * A strategy that tries given architectures first, so that a search begins with what is known to be good. The inner
 * strategy is informed of their results if it has a use for them (`Strategy.inform`).
 */
export class EnqueuedStrategy implements Strategy {
  /** How many of the given architectures were proposed. */
  #proposed = 0;
  readonly snapshot?: () => StrategySnapshot;
  readonly restore?: (snapshot: StrategySnapshot) => void;

  /** @param first the decision sequences that are tried first */
  constructor(
    private readonly inner: Strategy,
    private readonly first: readonly (readonly Answer[])[],
  ) {
    const { snapshot, restore } = inner;
    if (snapshot === undefined || restore === undefined) return;
    this.snapshot = () => {
      const { json: strategy, tensors } = snapshot.call(inner);
      return { json: { enqueued: this.#proposed, strategy }, tensors };
    };
    this.restore = ({ json, tensors }) => {
      const parsed = snapshotJson.safeParse(json);
      if (!parsed.success)
        throw new InputError(`not a snapshot of a search with --enqueue: ${z.prettifyError(parsed.error)}`);
      restore.call(inner, { json: parsed.data.strategy as Json, tensors });
      this.#proposed = parsed.data.enqueued;
    };
  }

  ask(): Asked {
    const answers = this.first[this.#proposed];
    if (answers !== undefined) {
      this.#proposed++;
      return { answers };
    }
    const asked = this.inner.ask();
    if (typeof asked === 'string' || asked.continues === undefined) return asked;
    return { ...asked, continues: asked.continues + this.first.length };
  }

  tell({ trial, continues, ...result }: TrialResult): readonly StrategyEvent[] {
    const { length } = this.first;
    if (trial < length) {
      this.inner.inform?.(result);
      return [];
    }
    const own = { ...result, trial: trial - length };
    return this.inner.tell(continues === undefined ? own : { ...own, continues: continues - length }) ?? [];
  }

  close(): void {
    this.inner.close?.();
  }
}
