import { z } from 'zod';
import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import type { Space } from '../space/space.js';
import type { Asked, Strategy, StrategyDefinition, StrategySnapshot, TrialResult } from './strategy.js';

/** The space counts as exhausted after so many draws in a row of architectures that were proposed before. */
const MOST_REDRAWS = 100;

const options = z.strictObject({
  unique: z
    .boolean()
    .default(true)
    .describe(
      `whether each architecture is proposed only once; the search ends when ${MOST_REDRAWS} draws in a row bring nothing new`,
    ),
});

/** Random search: every decision of a proposal is drawn uniformly. */
export const random: StrategyDefinition<z.output<typeof options>> = {
  name: 'random',
  options,
  asynchronous: true,
  create: ({ space, seed, options: { unique } }) => new RandomSearch(space, seed, unique),
};

const snapshotJson = z.strictObject({ random: z.array(z.int()), proposed: z.array(z.string()) });

class RandomSearch implements Strategy {
  #random: Random;
  #proposed = new Set<string>();

  constructor(
    private readonly space: Space,
    seed: number,
    private readonly unique: boolean,
  ) {
    this.#random = Random.of(seed, 'random search');
  }

  ask(): Asked {
    if (!this.unique) return { answers: this.space.sample(this.#random) };
    for (let draw = 0; draw < MOST_REDRAWS; draw++) {
      const answers = this.space.sample(this.#random);
      const key = this.space.key(answers);
      if (this.#proposed.has(key)) continue;
      this.#proposed.add(key);
      return { answers };
    }
    return 'finished';
  }

  tell(): void {}

  inform({ answers }: Pick<TrialResult, 'answers'>): void {
    if (this.unique) this.#proposed.add(this.space.key(answers));
  }

  snapshot(): StrategySnapshot {
    return {
      json: { random: [...this.#random.state()], proposed: [...this.#proposed] },
      tensors: new Map(),
    };
  }

  restore({ json }: StrategySnapshot): void {
    const snapshot = snapshotJson.safeParse(json);
    if (!snapshot.success) {
      throw new InputError(`not a snapshot of random search: ${z.prettifyError(snapshot.error)}`);
    }
    this.#random = Random.restore(snapshot.data.random);
    this.#proposed = new Set(snapshot.data.proposed);
  }
}
