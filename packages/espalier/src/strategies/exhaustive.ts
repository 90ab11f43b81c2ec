import { z } from 'zod';
import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import type { Answer } from '../space/language.js';
import type { Space } from '../space/space.js';
import type { Asked, Strategy, StrategyDefinition, StrategySnapshot, TrialResult } from './strategy.js';

/** The most architectures that are listed, in memory. */
const MOST_ARCHITECTURES = 1_000_000;

/**
 * Every architecture of a space once, in random order, so that what a stopped search has tried is a fair sample. Such a
 * search makes a table of a small space (`espalier table`).
 */
export const exhaustive: StrategyDefinition = {
  name: 'exhaustive',
  asynchronous: true,
  notes: (_, trials, space) => {
    const size = space.size();
    return size <= trials
      ? []
      : [
          `the space has ${size} architectures, and the search tries ${trials} of them; all: --trials ${size}`,
        ];
  },
  create: ({ space, seed }) => new Exhaustive(space, seed),
};

const snapshotJson = z.strictObject({ passed: z.int().min(0), informed: z.array(z.string()) });

class Exhaustive implements Strategy {
  readonly #order: readonly (readonly Answer[])[];
  /** Architectures of the order that were proposed, or left out because they were known. */
  #passed = 0;
  /** Keys of the architectures that were tried before it was their turn. */
  #informed = new Set<string>();

  constructor(
    private readonly space: Space,
    seed: number,
  ) {
    const size = space.size();
    if (size > MOST_ARCHITECTURES)
      throw new InputError(
        `space ${space.name} has ${size} architectures; strategy exhaustive tries them all, at most ${MOST_ARCHITECTURES}`,
      );
    const all = [...space.enumerate()];
    const order = Random.of(seed, 'exhaustive').permutation(all.length);
    this.#order = Array.from(order, (place) => all[place] as readonly Answer[]);
  }

  ask(): Asked {
    for (;;) {
      const answers = this.#order[this.#passed];
      if (answers === undefined) return 'finished';
      this.#passed++;
      if (!this.#informed.has(this.space.key(answers))) return { answers };
    }
  }

  tell(): void {}

  inform({ answers }: Pick<TrialResult, 'answers'>): void {
    this.#informed.add(this.space.key(answers));
  }

  snapshot(): StrategySnapshot {
    return { json: { passed: this.#passed, informed: [...this.#informed] }, tensors: new Map() };
  }

  restore({ json }: StrategySnapshot): void {
    const snapshot = snapshotJson.safeParse(json);
    if (!snapshot.success)
      throw new InputError(`not a snapshot of an exhaustive search: ${z.prettifyError(snapshot.error)}`);
    this.#passed = snapshot.data.passed;
    this.#informed = new Set(snapshot.data.informed);
  }
}
