import { z } from 'zod';
import { InputError } from '../input-error.js';
import { Random } from '../random/random.js';
import type { Space } from '../space/space.js';
import type { Proposal, Strategy, StrategyDefinition, StrategyEvent, StrategySnapshot } from './strategy.js';

/** So often a sheet that was proposed before is drawn again; then the space is as good as exhausted. */
const MOST_REDRAWS = 100;

const options = z.object({
  unique: z
    .boolean()
    .default(true)
    .describe(
      `no architecture twice: it is drawn again, up to ${MOST_REDRAWS} times; a small space runs out of others`,
    ),
});

/** Random search: every question of every proposal is answered evenly at random. */
export const random: StrategyDefinition<z.output<typeof options>> = {
  name: 'random',
  options,
  create: ({ space, seed, options: { unique } }) => new RandomSearch(space, seed, unique),
};

const snapshotJson = z.strictObject({ random: z.array(z.int()), proposed: z.array(z.string()) });

class RandomSearch implements Strategy {
  readonly name = 'random';
  #random: Random;
  #proposed = new Set<string>();

  constructor(
    private readonly space: Space,
    seed: number,
    private readonly unique: boolean,
  ) {
    this.#random = Random.of(seed, 'random search');
  }

  ask(): Proposal {
    let answers = this.space.sample(this.#random);
    if (this.unique) {
      for (let i = 0; i < MOST_REDRAWS && this.#proposed.has(this.space.key(answers)); i++) {
        answers = this.space.sample(this.#random);
      }
      this.#proposed.add(this.space.key(answers));
    }
    return { answers };
  }

  tell(): readonly StrategyEvent[] {
    return [];
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
      throw new InputError(`the snapshot is not one of random search: ${z.prettifyError(snapshot.error)}`);
    }
    this.#random = Random.restore(snapshot.data.random);
    this.#proposed = new Set(snapshot.data.proposed);
  }
}
